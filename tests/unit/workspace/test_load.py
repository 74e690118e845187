"""From files to a workspace: which are read, within which bounds, and which of two wins."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from cartridge.errors import DocumentsError, Finding, Mark
from cartridge.workspace import inputs
from cartridge.workspace.load import inspect, load
from cartridge.workspace.project import Project
from cartridge.workspace.resolve import resolve


def head(kind: str, metadata: str) -> str:
    return f"apiVersion: cartridge/v1\nkind: {kind}\nmetadata: {{{metadata}}}\n"


def cartridge(description: str) -> str:
    return (
        head("Cartridge", f"name: tool, version: 1.0.0, description: {description}")
        + "artifacts:\n  tool: {binaries: [tool], channels: [{channel: path}]}\n"
        + "components:\n  server: {artifact: tool, command: [tool], ready: {probe: exit}}\n"
    )


def stack(name: str) -> str:
    return head("Stack", f"name: {name}") + "use:\n  - cartridge: tool@1\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write(tmp_path / "own/stacks/shop.yaml", stack("shop"))
    write(tmp_path / "own/cartridges/tool/cartridge.yaml", cartridge("own"))
    write(tmp_path / "shipped/cartridges/tool/cartridge.yaml", cartridge("shipped"))
    write(tmp_path / "shipped/stacks/pair.yaml", stack("pair"))
    return Project(tmp_path / "own", tmp_path / "own/.cartridge", tmp_path / "own", tmp_path / "shipped")


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def findings(project: Project, *files: str) -> list[tuple[str, Mark | None]]:
    return [(finding.code, finding.mark) for finding in inspect(project, files).findings]


def test_a_project_has_its_own_stacks_and_the_shipped_cartridges_too(project: Project) -> None:
    write(project.shipped / "cartridges/more/cartridge.yaml", head("Cartridge", "name: more, version: 2.1.0"))

    workspace = load(project)

    assert list(workspace.stacks) == ["shop"]
    assert {name: list(versions) for name, versions in workspace.cartridges.items()} == {
        "more": ["2.1.0"],
        "tool": ["1.0.0"],
    }


def test_the_projects_cartridge_takes_the_place_of_the_shipped_one(project: Project) -> None:
    assert load(project).cartridges["tool"]["1.0.0"].document.metadata.description == "own"


def test_a_file_given_by_flag_takes_the_place_of_the_projects_and_the_last_one_wins(project: Project) -> None:
    first = write(project.root / "first.yaml", cartridge("first"))
    second = write(project.root / "second.yaml", cartridge("second"))

    workspace = load(project, (str(first), str(second)))

    assert workspace.cartridges["tool"]["1.0.0"].document.metadata.description == "second"
    assert list(workspace.stacks) == ["shop"]


def test_a_stack_given_by_flag_leaves_out_the_projects_own(project: Project) -> None:
    given = write(project.root / "elsewhere/mine.yaml", stack("mine"))

    assert list(load(project, (str(given),)).stacks) == ["mine"]


def test_a_stack_comes_from_standard_input(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs._once.cache_clear()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stack("piped").encode())))

    assert list(load(project, ("-",)).stacks) == ["piped"]
    assert list(load(project, ("-",)).stacks) == ["piped"], "what can be read only once is kept"
    inputs._once.cache_clear()


def test_a_stack_comes_from_a_pipe(project: Project, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(stack("piped"),))
    writer.start()

    workspace = load(project, (str(pipe),))

    writer.join()
    assert list(workspace.stacks) == ["piped"]
    assert resolve(workspace).name == "piped"


def test_a_file_of_50_mb_is_refused_by_its_size_without_being_read(project: Project) -> None:
    path = project.root / "stacks/huge.yaml"
    path.touch()
    os.truncate(path, 50_000_000)

    assert findings(project) == [("file-too-large", Mark("stacks/huge.yaml", 1))]


def test_an_endless_file_is_read_no_further_than_the_bound(project: Project) -> None:
    assert findings(project, "/dev/zero") == [("file-too-large", Mark("/dev/zero", 1))]


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        (bytes(range(256)), 1, 1),
        (b"kind: Stack\nname: caf\xe9\n", 2, 10),
        ("kind: Stack".encode("utf-16"), 1, 1),
        (b"kind: \x1b[31mStack", 1, 7),
        (b"\x7fELF\x02\x01\x01\x00", 1, 1),
        ("kind: a\nb: \ufffe".encode(), 2, 4),
    ],
)
def test_what_is_no_text_is_refused_at_its_first_strange_byte(
    project: Project, content: bytes, line: int, column: int
) -> None:
    write(project.root / "stacks/shop.yaml", content)

    assert findings(project) == [("file-not-text", Mark("stacks/shop.yaml", line, column))]


def test_a_folder_a_missing_file_and_a_broken_path_cannot_be_read(project: Project) -> None:
    found = findings(project, str(project.root), "nowhere.yaml", "a\0b", "x" * 5000)

    assert [code for code, _ in found] == ["file-unreadable"] * 4


def test_a_strange_template_is_a_finding_in_the_template(project: Project) -> None:
    text = cartridge("own").replace("ready:", "files: [{path: a, template: a.j2}], ready:")
    write(project.root / "cartridges/tool/cartridge.yaml", text)
    write(project.root / "templates/a.j2", b"\xff\xfe")

    assert findings(project) == [("file-not-text", Mark("templates/a.j2", 1, 1))]


def test_nobody_calls_a_broken_cartridge_unknown(project: Project) -> None:
    write(project.root / "cartridges/tool/cartridge.yaml", "kind: [")
    write(project.shipped / "cartridges/tool/cartridge.yaml", "kind: Cartridge\nmetadata: {name: tool}")

    codes = {code for code, _ in findings(project)}

    assert "cartridge-unknown" not in codes
    assert "yaml-syntax" in codes


def test_loading_raises_all_findings_at_once(project: Project) -> None:
    write(project.root / "stacks/a.yaml", "")
    write(project.root / "stacks/b.yaml", "a: 1\na: 2\n")

    with pytest.raises(DocumentsError) as caught:
        load(project)

    assert [(finding.code, finding.mark and finding.mark.file) for finding in caught.value.findings] == [
        ("document-empty", "stacks/a.yaml"),
        ("kind-missing", "stacks/b.yaml"),
        ("duplicate-key", "stacks/b.yaml"),
    ]
    assert caught.value.brief == "3 problems in your documents"


def test_warnings_forbid_nothing_and_are_kept(project: Project) -> None:
    text = cartridge("own").replace("ready:", "per: node, implementation: lnd, ready:")
    write(project.root / "cartridges/tool/cartridge.yaml", text)

    assert [finding.code for finding in load(project).warnings] == ["network-missing"]


def test_inputs_name_every_file_that_would_be_read_with_its_digest(project: Project) -> None:
    write(project.root / "templates/process/a.j2", "")
    write(project.root / "cartridge.lock", "{}")
    before = inputs.inputs(project, ("nowhere.yaml",))

    assert list(before) == [
        "nowhere.yaml",
        "cartridges/tool/cartridge.yaml",
        "stacks/shop.yaml",
        "templates/process/a.j2",
        "cartridge.lock",
        "shipped:cartridges/tool/cartridge.yaml",
        "shipped:stacks/pair.yaml",
    ]
    assert before["nowhere.yaml"] == "unreadable"
    assert before["cartridge.lock"] == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_a_changed_template_changes_its_digest_alone(project: Project) -> None:
    template = write(project.root / "templates/a.j2", "one")
    before = inputs.inputs(project)
    template.write_text("two", encoding="utf-8")

    after = inputs.inputs(project)

    assert {name for name in after if after[name] != before[name]} == {"templates/a.j2"}


def test_a_finding_is_one_value(project: Project) -> None:
    write(project.root / "stacks/shop.yaml", "kind: Stack\nkind: Stack\n")

    first = inspect(project).findings[-1]

    assert first == Finding(
        "duplicate-key",
        "the key `kind` stands here a second time; the first is on line 1",
        Mark("stacks/shop.yaml", 2, 1),
        "remove one of them, or rename it",
        "kind: Stack",
    )
