"""Killed at any moment, run twice at once, or out of room: the next run is right and nothing is left behind."""

from __future__ import annotations

import json
import subprocess  # noqa: TID251 - starts and kills real runs
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cartridge.artifacts import lock, pins, tree
from cartridge.artifacts.install import ensure
from cartridge.artifacts.pins import Lock
from cartridge.model.artifact import Artifact
from tests.doubles.artifact_world import World, artifact, go_module, release, tarball
from tests.doubles.file_server import Fault, FileServer

CHILD = Path(__file__).with_name("child.py")


@contextmanager
def child(
    world: World, declaration: Artifact, pinned: Lock, *, dies_at: str = "", largest_file: int = 0
) -> Iterator[subprocess.Popen[str]]:
    """Start a run of its own; it begins once its standard input is closed or a line arrives."""
    argv = [sys.executable, str(CHILD), str(world.store.root), str(world.tools)]
    asked = {
        "declaration": json.loads(declaration.model_dump_json()),
        "lock": json.loads(pins.encode(pinned)),
        "dies_at": dies_at,
        "largest_file": largest_file,
    }
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        try:
            yield process
        finally:
            process.kill()


def events(process: subprocess.Popen[str]) -> Iterator[dict[str, object]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def built(world: World) -> tuple[Artifact, Lock]:
    declaration = artifact(go_module(world.tools))
    pinned, _ = lock.update(Lock(), lock.Wanted({"thing": declaration}), world.sources)
    return declaration, pinned


def assert_is_right(world: World, declaration: Artifact, pinned: Lock) -> None:
    installed = ensure("thing", declaration, pinned, world.sources)
    world.store.gc()

    assert installed.digest == tree.digest(installed.root)
    assert [path.name for path in world.store.entries.iterdir()] == [installed.root.name]
    assert list((world.store.root / "work").iterdir()) == []
    assert list((world.store.root / "receipts").glob(".*")) == []


def test_killed_in_a_download_the_next_run_goes_on_where_it_was(tmp_path: Path) -> None:
    content = tarball(padding=1_000_000)
    with FileServer({"/thing.tar.gz": content}) as server:
        server.faults["/thing.tar.gz"] = Fault(cut_after=500_000, hangs=True, times=1)
        world = World(tmp_path)
        declaration = artifact(release(f"{server.url}/thing.tar.gz", content))
        pinned, _ = lock.update(Lock(), lock.Wanted({"thing": declaration}), world.sources)
        with child(world, declaration, pinned) as process:
            assert server.hanging.wait(30)
            assert next(event for event in events(process) if event.get("done"))
            process.kill()

        assert_is_right(world, declaration, pinned)

        assert len(server.requests) == 2
        assert int(server.requests[1][1].removeprefix("bytes=").rstrip("-")) >= 65_536


@pytest.mark.parametrize("moment", ["step-started", "step-progress"])
def test_killed_in_a_build_the_next_run_builds_it(tmp_path: Path, moment: str) -> None:
    world = World(tmp_path, search=None)
    declaration, pinned = built(world)
    with child(world, declaration, pinned) as process:
        assert next(event for event in events(process) if event.get("type") == moment)
        process.kill()

    assert_is_right(world, declaration, pinned)


@pytest.mark.parametrize("act", ["commit", "receipt"])
def test_killed_around_the_rename_the_next_run_is_right(tmp_path: Path, act: str) -> None:
    world = World(tmp_path, search=None)
    declaration, pinned = built(world)
    with child(world, declaration, pinned, dies_at=act) as process:
        assert process.wait(60) == -9
    assert world.store.receipts() == ()

    assert_is_right(world, declaration, pinned)


def test_what_a_killed_run_left_is_removed_by_gc_alone(tmp_path: Path) -> None:
    world = World(tmp_path, search=None)
    declaration, pinned = built(world)
    for act in ("commit", "receipt"):
        with child(world, declaration, pinned, dies_at=act) as process:
            process.wait(60)

    kinds = {one.kind for one in world.store.gc()}

    assert kinds == {"work", "entry"}
    assert list(world.store.entries.iterdir()) == []
    assert list((world.store.root / "work").iterdir()) == []


def test_two_runs_at_once_build_once_and_the_other_says_that_it_waits(tmp_path: Path) -> None:
    world = World(tmp_path, search=None)
    declaration, pinned = built(world)
    with child(world, declaration, pinned) as first, child(world, declaration, pinned) as second:
        with world.store.locked("build"):  # whoever builds cannot end before the other has come
            said = [
                next(one for one in events(process) if one["type"] != "step-started") for process in (first, second)
            ]
        said += [*events(first), *events(second)]
        assert (first.wait(60), second.wait(60)) == (0, 0)

    assert len({str(one["digest"]) for one in said if "digest" in one}) == 1
    assert [one["note"] for one in said if "reading modules" in str(one.get("note"))]
    assert {one["text"] for one in said if one.get("type") == "noted"} == {
        "`thing` is being installed by another run of cartridge; waiting for it",
        "`thing` is built after what is being built now",
    }
    assert len(world.store.receipts()) == 1


@pytest.mark.parametrize("kind", ["download", "build"])
def test_no_room_is_said_in_clear_words_and_leaves_nothing(tmp_path: Path, kind: str) -> None:
    world = World(tmp_path, search=None)
    content = tarball(padding=1_000_000)
    (tmp_path / "thing.tar.gz").write_bytes(content)
    if kind == "download":
        declaration = artifact(release((tmp_path / "thing.tar.gz").as_uri(), content))
        pinned, _ = lock.update(Lock(), lock.Wanted({"thing": declaration}), world.sources)
    else:
        declaration, pinned = built(world)

    with child(world, declaration, pinned, largest_file=200_000) as process:
        *_, last = events(process)

    assert last["error"] == "store-full"
    assert world.store.receipts() == ()
    world.store.gc()
    assert list((world.store.root / "work").iterdir()) == []
