"""What is on disk is whole or absent, private, and never a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from cartridge.render.bundle import RenderedComponent, RenderedFile
from cartridge.targets.process.layout import Layout, Record, identity

RECORD = Record(
    "alice", "d", "i", ("/bin/true", "-x"), {"S": "secret:env:S"}, 15, 5.0, ("chain",), False, {"rpc": 1}, {"t": "/t"}
)


def rendered(*files: RenderedFile, command: str = "/bin/true") -> RenderedComponent:
    return RenderedComponent("alice", (command,), {"A": "b"}, files)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "stack")


def modes(folder: Path) -> set[str]:
    """Return the modes of all folders and files below."""
    return {f"{'d' if path.is_dir() else 'f'}{path.stat().st_mode & 0o777:o}" for path in folder.rglob("*")}


def test_a_record_comes_back_as_it_was(layout: Layout) -> None:
    layout.remember(RECORD)

    assert (layout.record("alice"), layout.records(), layout.names()) == (RECORD, {"alice": RECORD}, ("alice",))
    assert modes(layout.folder) == {"d700", "f600"}


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"name": "alice"}'])
def test_a_record_that_cannot_be_read_counts_as_none_but_its_component_is_known(layout: Layout, content: bytes) -> None:
    layout.remember(RECORD)
    (layout.component("alice") / "component.json").write_bytes(content)

    assert (layout.record("alice"), layout.records(), layout.names()) == (None, {}, ("alice",))


def test_configuration_is_what_was_rendered_and_nothing_else(layout: Layout) -> None:
    layout.configure(rendered(RenderedFile("old.conf", b"1"), RenderedFile("kept.conf", b"1")))

    layout.configure(rendered(RenderedFile("kept.conf", b"2", 0o600), RenderedFile("sub/new.conf", b"3")))

    config = layout.config("alice")
    files = {str(path.relative_to(config)): path.read_bytes() for path in config.rglob("*") if path.is_file()}
    assert files == {"kept.conf": b"2", "sub/new.conf": b"3"}
    assert (config / "kept.conf").stat().st_mode & 0o777 == 0o600
    assert list(layout.files(rendered(RenderedFile("kept.conf", b"2"), RenderedFile("gone", b"")))) == ["gone"]


def test_data_is_seeded_whole_or_not_at_all(layout: Layout) -> None:
    def breaks() -> dict[str, bytes]:
        return {"first": b"1", "first/second": b"a file is no folder"}

    with pytest.raises(OSError):  # noqa: PT011 - which one differs between systems
        layout.seed("alice", breaks)
    half = layout.data("alice").exists()
    seeded = layout.seed("alice", lambda: {"deep/er": b"1"})
    again = layout.seed("alice", breaks)

    assert (half, seeded, again) == (False, True, False)
    assert [path.name for path in layout.component("alice").iterdir()] == ["data"]
    assert (layout.data("alice") / "deep/er").stat().st_mode & 0o777 == 0o600


def test_forgetting_takes_data_and_logs_and_a_repeat_finds_nothing(layout: Layout) -> None:
    layout.remember(RECORD)
    layout.seed("alice", None)
    layout.log("alice").write_text("1")
    layout.log("alice").with_name("alice.log.1").write_text("1")

    layout.forget("alice")
    layout.forget("alice")

    assert sorted(path.name for path in layout.folder.rglob("*")) == ["components", "logs"]


def test_ports_come_back_and_rubbish_means_none(layout: Layout) -> None:
    layout.remember_ports({("alice", "rpc"): 1, ("bob", "rpc"): 2})
    kept = layout.ports()
    (layout.folder / "ports.json").write_text("{")

    assert (kept, layout.ports()) == ({("alice", "rpc"): 1, ("bob", "rpc"): 2}, {})


def test_the_identity_covers_all_that_was_rendered() -> None:
    file = RenderedFile("a", b"1")
    others = [
        identity("other", rendered(file)),
        identity("d", rendered(file, command="/bin/false")),
        identity("d", rendered()),
        identity("d", rendered(RenderedFile("a", b"2"))),
        identity("d", rendered(RenderedFile("a", b"1", 0o600))),
        identity("d", RenderedComponent("alice", ("/bin/true",), {}, (file,))),
    ]

    assert identity("d", rendered(file)) == identity("d", rendered(file))
    assert len({identity("d", rendered(file)), *others}) == 1 + len(others)
