"""Plain Pulumi and `cartridge` work on one stack, and agree about it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from cartridge import spawn
from cartridge.artifacts.installed import Installed
from cartridge.workspace import settings
from cartridge.workspace.bundled import bundled

pytestmark = [pytest.mark.docker, pytest.mark.pulumi, pytest.mark.lightning, pytest.mark.slow]

DOCUMENTS = ("cartridges", "stacks", "templates", "tools", "cartridge.lock", "Pulumi.yaml")
QUIET = ("--non-interactive", "--color", "never", "--suppress-progress")
SCRIPTS = Path(sys.executable).parent


@dataclass
class Project:
    """A copy of the repository's documents, with the two command lines on it."""

    root: Path
    pulumi: Path
    environment: Mapping[str, str]

    def cartridge(self, *argv: str, status: int = 0) -> str:
        """Run `cartridge` and return what it answers."""
        done = spawn.run([str(SCRIPTS / "cartridge"), *argv], cwd=self.root, environment=self.environment, timeout=120)
        assert done.status == status, (done.stdout, done.stderr)
        return done.stdout

    def plain(self, *argv: str) -> str:
        """Run `pulumi` as a user would, with the variables of the stack's own file, and return what it says."""
        given = dict(self.environment)
        for line in next(self.root.glob(".cartridge/*/pulumi/env")).read_text().splitlines():
            name, _, value = line.partition("=")
            given[name] = value.strip("'")
        done = spawn.run([str(self.pulumi), *argv, *QUIET], cwd=self.root, environment=given, timeout=120)
        assert done.status == 0, done.stdout + done.stderr
        return done.stdout

    def changes(self) -> dict[str, str]:
        """Return what `cartridge plan` would do with each component."""
        answer = json.loads(self.cartridge("plan", "--target", "docker", "-o", "json"))
        return {
            change["resource"]: change["kind"]
            for change in answer["changes"]
            if change["resource"].startswith("component/")
        }


@pytest.fixture
def project(tmp_path: Path, pulumi_cli: Installed) -> Iterator[Project]:
    root = tmp_path / "project"
    root.mkdir()
    for name in DOCUMENTS:
        source = bundled() / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, root / name)
    path = os.pathsep.join((str(SCRIPTS), settings.inherited()["PATH"]))
    environment = {**settings.inherited(), "PATH": path, "XDG_STATE_HOME": str(tmp_path / "state")}
    made = Project(root, pulumi_cli.binaries["pulumi"], environment)
    yield made
    made.cartridge("down", "--yes")


def test_both_see_the_same_stack_whoever_made_it(project: Project) -> None:
    project.cartridge("up", "--target", "docker")
    assert "8 unchanged" in project.plain("preview")
    assert set(project.changes().values()) == {"keep"}

    assert "8 deleted" in project.plain("destroy", "--yes", "--skip-preview")
    assert set(project.changes().values()) == {"create"}
    assert "8 to create" in project.plain("preview")

    assert "8 created" in project.plain("up", "--yes", "--skip-preview")
    assert set(project.changes().values()) == {"keep"}

    project.cartridge("up", "--target", "docker")
    assert "paid bob" in project.cartridge("pay", "alice", "bob", "1000 sat")
    assert "8 unchanged" in project.plain("preview")


def test_both_plan_the_same_change(project: Project) -> None:
    project.cartridge("up", "--target", "docker")
    template = next((project.root / "templates").rglob("*bitcoin*.j2"))
    template.write_text(template.read_text() + "\n# a change\n")

    planned = {name for name, kind in project.changes().items() if kind != "keep"}
    previewed = project.plain("preview")

    assert planned == {"component/bitcoind"}
    assert "1 to replace" in previewed
    assert "7 unchanged" in previewed
