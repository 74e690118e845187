"""Every copier keeps the contract of `targets.copying.Copier`: real processes, and real containers.

A component counts into two files of its data folder, one after the other, a hundred times a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from cartridge.clock import SystemClock
from cartridge.deploy.engine import Wanted
from cartridge.errors import ApplyError, MissingError
from cartridge.render.bundle import RenderedComponent
from cartridge.targets.copying import SETTLED, Copier
from cartridge.targets.docker import images
from cartridge.targets.docker.copying import DockerCopier
from cartridge.targets.process.client import Guardian
from cartridge.targets.process.copying import ProcessCopier
from cartridge.targets.process.layout import Layout
from tests.conformance.conftest import HARNESSES, MARKS
from tests.conformance.harness import LEASE, World
from tests.conformance.waiting import until

HOLE = bytes(1 << 20) + b"end"
LONG = 20.0
"""Seconds a component may stand still where a test does not wait for their end."""


def process(folder: Path) -> Copier:
    """Return the copier of the stack of processes that the harness has in `folder`."""
    layout = Layout(folder / "state" / LEASE.stack)
    return ProcessCopier(layout, Guardian(LEASE.stack, folder / "run", layout.folder, SystemClock()), SystemClock())


def docker(folder: Path) -> Copier:
    """Return the copier of the stack of containers, whose folder it needs not."""
    del folder
    return DockerCopier(LEASE.stack, SystemClock())


COPIERS: dict[str, tuple[Callable[[Path], Copier], str]] = {
    "process": (process, "/bin/sh"),
    "docker": (docker, f"{images.PROGRAMS}/sh"),
}
"""By target: what makes its copier, and the shell of its components."""


@dataclass
class Counters:
    """Components that count, and the copier under test."""

    world: World
    copier: Copier
    shell: str

    def data(self, name: str) -> str:
        """Return the data folder of a component, as it sees it."""
        one = self.world.wanted(name)
        return self.world.engine.place({name: (one.ports, one.host_ports, one.installed)}).data(name)

    def counter(self, name: str) -> Wanted:
        """Return a component that counts; its data folder has a file in a folder, an empty one and a hole besides."""
        line = (
            f"trap 'exit 0' TERM; cd {self.data(name)}; n=0;"
            " while :; do n=$((n+1)); echo $n >> first; echo $n >> second; sleep 0.01; done"
        )
        seed = {"deep/er/kept": b"yes", "deep/left-out": b"no", "empty": b"", "hole": HOLE}
        rendered = RenderedComponent(name, (self.shell, "-c", line), {}, ())
        return self.world.wanted(name, rendered=rendered, seed=lambda: seed)

    def up(self, *names: str) -> None:
        """Bring components up and return when all of them count."""
        self.world.engine.begin(LEASE)
        self.world.up(*(self.counter(name) for name in names))
        for name in names:
            self.goes_on(name)

    def counted(self, name: str, file: str = "second") -> bytes:
        """Return what a component has counted."""
        try:
            return self.world.engine.driver().read(name, file)
        except MissingError:  # it has not begun
            return b""

    def goes_on(self, name: str) -> None:
        """Return when a component has counted on."""
        before = self.counted(name)
        until(lambda: len(self.counted(name)) > len(before), f"{name} counts")


@pytest.fixture(params=[pytest.param(name, marks=MARKS.get(name, ())) for name in COPIERS])
def counters(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counters]:
    """One target with an engine that has nothing yet, and its copier."""
    folder = tmp_path_factory.mktemp("w")
    make, shell = COPIERS[request.param]
    with HARNESSES[request.param](folder) as harness:
        yield Counters(World(harness, [], []), make(folder), shell)


def everything(path: PurePosixPath) -> bool:
    """Leave nothing out."""
    del path
    return False


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder by its path in there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_frozen_stands_still_and_goes_on_when_it_is_thawed(counters: Counters) -> None:
    counters.up("alice", "bob", "carol")

    counters.copier.freeze(["alice"], LONG)
    counters.copier.freeze(["bob"], LONG)
    before = {name: counters.counted(name) for name in ("alice", "bob")}
    counters.goes_on("carol")
    after = {name: counters.counted(name) for name in ("alice", "bob")}
    thawed = counters.copier.thaw()

    assert (after, set(thawed)) == (before, {"alice", "bob"})
    counters.goes_on("alice")
    counters.goes_on("bob")
    assert counters.copier.thaw() == frozenset()


def test_a_copy_of_what_stands_still_is_whole_and_for_its_owner_alone(counters: Counters, tmp_path: Path) -> None:
    counters.up("alice")
    counters.copier.freeze(["alice"], LONG)

    counters.copier.copy("alice", tmp_path / "copy", lambda path: path == PurePosixPath("deep/left-out"))
    now = {name: counters.counted("alice", name) for name in ("first", "second")}
    counters.copier.thaw()

    kept = {"deep/er/kept": b"yes", "empty": b"", "hole": HOLE}
    assert contents(tmp_path / "copy") == {**kept, **now}
    assert now["first"].startswith(now["second"])
    assert len(now["first"].split()) - len(now["second"].split()) in {0, 1}
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in (tmp_path / "copy").rglob("*")}
    assert (modes, (tmp_path / "copy").stat().st_mode & 0o777) == ({True: 0o700, False: 0o600}, 0o700)
    assert (tmp_path / "copy" / "hole").stat().st_blocks * 512 < 1 << 20


def test_what_was_copied_ahead_is_copied_again_only_where_it_has_changed(counters: Counters, tmp_path: Path) -> None:
    counters.up("alice")
    copier, driver, copy = counters.copier, counters.world.engine.driver(), tmp_path / "copy"
    data = counters.data("alice")
    began, clock = SystemClock().monotonic(), SystemClock()
    until(lambda: clock.monotonic() > began + SETTLED, "what was given in the beginning has settled")

    copier.prepare("alice", copy, everything)
    ahead = contents(copy)
    for line in (f"echo no > {data}/deep/er/kept", f"rm {data}/deep/left-out", f"echo new > {data}/deep/new"):
        assert driver.run("alice", [counters.shell, "-c", line]).status == 0
    copier.freeze(["alice"], LONG)
    copier.copy("alice", copy, everything)
    now = {name: counters.counted("alice", name) for name in ("first", "second")}
    copier.thaw()

    given = {"deep/er/kept": b"yes", "deep/left-out": b"no", "empty": b"", "hole": HOLE}
    assert ahead in ({}, given)  # a copier may do nothing ahead
    assert contents(copy) == {"deep/er/kept": b"no\n", "deep/new": b"new\n", "empty": b"", "hole": HOLE, **now}


def test_a_folder_that_is_left_out_is_left_out_with_all_that_is_in_it(counters: Counters, tmp_path: Path) -> None:
    counters.up("alice")
    counters.copier.freeze(["alice"], LONG)

    counters.copier.copy("alice", tmp_path / "copy", lambda path: path == PurePosixPath("deep"))
    counters.copier.thaw()

    assert set(contents(tmp_path / "copy")) == {"empty", "hole", "first", "second"}


def test_what_has_ended_is_copied_too(counters: Counters, tmp_path: Path) -> None:
    counters.up("alice", "bob")
    counters.world.engine.driver().stop("bob")
    counters.copier.freeze(["alice"], LONG)

    counters.copier.copy("bob", tmp_path / "copy", everything)
    counters.copier.thaw()

    assert contents(tmp_path / "copy")["deep/er/kept"] == b"yes"


def test_components_go_on_by_themselves_when_their_time_is_up(counters: Counters) -> None:
    counters.up("alice")

    counters.copier.freeze(["alice"], 0.2)

    counters.goes_on("alice")
    assert counters.copier.thaw() == frozenset()


def test_freezing_again_begins_the_time_anew(counters: Counters) -> None:
    counters.up("alice")
    clock = SystemClock()

    counters.copier.freeze(["alice"], 3.0)
    began = clock.monotonic()
    counters.copier.freeze([], LONG)
    before = counters.counted("alice")
    until(lambda: clock.monotonic() > began + 3.2, "the first bound is over")

    assert counters.counted("alice") == before
    assert counters.copier.thaw() == {"alice"}


def test_what_does_not_run_cannot_be_frozen_and_nothing_else_is(counters: Counters) -> None:
    counters.up("alice", "bob")
    counters.world.engine.driver().stop("bob")

    with pytest.raises(ApplyError) as refused:
        counters.copier.freeze(["alice", "bob"], LONG)

    assert refused.value.code == "component-not-running"
    counters.goes_on("alice")
    assert counters.copier.thaw() == frozenset()
