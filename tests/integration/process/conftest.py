"""A stack of real processes under a real guardian, and whatever a test may leave is ended afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cartridge.artifacts.installed import Installed
from cartridge.clock import SystemClock
from cartridge.deploy import leases
from cartridge.deploy.direct import DirectEngine
from cartridge.deploy.engine import Lease, Wanted
from cartridge.journal.recorder import Recorder
from cartridge.model.cartridge import Port, Stop
from cartridge.render.bundle import RenderedComponent, RenderedFile
from cartridge.targets.process import marks
from cartridge.targets.process.client import Guardian, Hello
from cartridge.targets.process.layout import Layout
from cartridge.workspace import settings
from tests.conformance.waiting import until

STAY = "exec sleep 1000"


@dataclass
class Stack:
    """One stack of processes.

    Attributes:
        name: its id.
        root: folder of the test; stacks of one test share sockets and leases.
        told: names the engine said had started.
    """

    name: str
    root: Path
    told: list[str] = field(default_factory=list)
    clock: SystemClock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        self.settings = settings.read({"HOME": str(self.root / "home"), "CARTRIDGE_RUNTIME": str(self.root / "run")})
        self.folder = self.root / "state" / self.name
        self.layout = Layout(self.folder)
        self.guardian = Guardian(self.name, self.settings.runtime, self.folder)
        self.leases = leases.registry(self.settings)
        self.engine = DirectEngine(self.name, self.folder, self.settings, self.clock, Recorder(self.clock))
        self.installed = Installed("shell", "1", "path", "sha256-none", self.root, {"sh": Path("/bin/sh")}, None, {})

    def lease(self, ttl: int | None = None) -> Lease:
        """Return a lease for `ttl` milliseconds from now."""
        return Lease(self.name, "tests@here:/", "", leases.expiry(self.clock.now(), ttl), "0" * 64)

    def wanted(
        self,
        name: str,
        script: str = STAY,
        *,
        digest: str = "first",
        depends_on: tuple[str, ...] = (),
        fixed: int = 0,
        grace: str = "5 s",
        config: bytes = b"",
        environment: dict[str, str] | None = None,
        seed: dict[str, bytes] | None = None,
    ) -> Wanted:
        """Return a component that is a line of shell with one port, `rpc`."""
        files = (RenderedFile("its.conf", config, 0o600),)
        rendered = RenderedComponent(name, ("/bin/sh", "-c", script), environment or {}, files)
        return Wanted(
            name,
            digest,
            self.installed,
            rendered,
            {"rpc": Port(container=8080)},
            {"rpc": fixed} if fixed else {},
            depends_on,
            Stop(signal="SIGTERM", grace=grace),
            (lambda: seed) if seed else None,
        )

    def up(self, *wanted: Wanted, ttl: int | None = None) -> None:
        """Begin, place and apply."""
        self.engine.begin(self.lease(ttl))
        self.engine.place({one.name: (one.ports, one.host_ports, one.installed) for one in wanted})
        self.engine.apply(wanted, (), lambda _: None, self.told.append)

    def hello(self) -> Hello:
        """Return who the guardian is; it lives."""
        hello = self.guardian.hello()
        assert hello is not None
        return hello

    def pid(self, component: str) -> int:
        """Return the process of a component that runs."""
        return int(self.engine.driver().conditions()[component].identity)

    def states(self) -> dict[str, str]:
        """Return the state of every component."""
        return {name: str(look.state) for name, look in self.engine.driver().conditions().items()}

    def log(self, component: str) -> list[str]:
        """Return the lines of a component's log."""
        return [line.decode() for line in self.engine.driver().logs(component)]

    def processes(self) -> list[int]:
        """Return every process of the stack: components, guardian, watcher."""
        return [one.pid for one in (*marks.components(self.name), *marks.guardians(self.name)) if is_alive(one.pid)]

    def wait_empty(self) -> None:
        """Return when no process of the stack is left."""
        until(lambda: not self.processes(), f"nothing of {self.name} runs")


def is_alive(pid: int) -> bool:
    """Tell whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def wait_dead(pid: int) -> None:
    """Return when the process has ended."""
    until(lambda: not is_alive(pid), f"process {pid} has ended")


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short path."""
    return tmp_path_factory.mktemp("p")


@pytest.fixture
def stack(root: Path) -> Iterator[Stack]:
    """A stack that has nothing yet."""
    one = Stack(f"test-{os.getpid()}-a", root)
    yield one
    _end(one)


@pytest.fixture
def other(root: Path) -> Iterator[Stack]:
    """Another stack of the same user."""
    one = Stack(f"test-{os.getpid()}-b", root)
    yield one
    _end(one)


def _end(stack: Stack) -> None:
    for found in marks.components(stack.name):
        if is_alive(found.pid):
            os.kill(found.pid, signal.SIGCONT)
    stack.engine.destroy()
    for found in (*marks.guardians(stack.name), *marks.components(stack.name)):
        marks.kill(found)
