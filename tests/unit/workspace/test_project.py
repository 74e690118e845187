"""The project is found by walking up; where there is none, the shipped documents are it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cartridge.workspace import settings
from cartridge.workspace.bundled import bundled
from cartridge.workspace.project import Project, find

SETTINGS = settings.read({"HOME": "/home/me"})


@pytest.mark.parametrize("holds", ["cartridge.lock", "stacks/a.yaml", "stacks/a.yml", "cartridges/a/cartridge.yaml"])
def test_the_nearest_folder_above_that_holds_documents_is_the_project(tmp_path: Path, holds: str) -> None:
    file = tmp_path / holds
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    inside = tmp_path / "deep" / "inside"
    inside.mkdir(parents=True)

    found = find(SETTINGS, inside)

    assert found == Project(tmp_path, tmp_path / ".cartridge", inside, bundled())
    assert found.display(file) == f"../../{holds}"


def test_folders_that_only_have_the_names_are_no_project(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "cartridges" / "notes").mkdir(parents=True)

    assert find(SETTINGS, tmp_path).root == bundled()


def test_a_folder_above_that_anybody_may_write_to_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "cartridge.lock").touch()
    inside = tmp_path / "mine"
    inside.mkdir()
    tmp_path.chmod(0o1777)

    assert find(SETTINGS, inside).root == bundled()
    assert find(SETTINGS, tmp_path).root == tmp_path, "where the user stands is their own choice"


def test_outside_any_project_the_shipped_documents_are_it(tmp_path: Path) -> None:
    found = find(SETTINGS, tmp_path)

    assert (found.root, found.roots) == (bundled(), (bundled(),))
    assert found.display(bundled() / "stacks/a.yaml") == str(bundled() / "stacks/a.yaml")


def test_in_a_wheel_the_shipped_documents_keep_their_state_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bundled").mkdir()
    monkeypatch.setattr("cartridge.workspace.bundled._PACKAGE", tmp_path)
    bundled.cache_clear()

    found = find(SETTINGS, tmp_path)
    monkeypatch.undo()
    bundled.cache_clear()

    assert (found.root, found.state) == (tmp_path / "bundled", Path("/home/me/.local/state/cartridge"))
