"""The targets the conformance suites run on. A target joins by adding a maker of its harness to `HARNESSES`."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from cartridge.artifacts.installed import Installed
from cartridge.artifacts.toolchain import PULUMI
from cartridge.clock import SystemClock
from cartridge.deploy.direct import DirectEngine
from cartridge.deploy.engine import Engine
from cartridge.deploy.pulumi.engine import PulumiEngine
from cartridge.journal.recorder import Recorder
from cartridge.operations.access import programs
from cartridge.operations.access.context import Context, Options
from cartridge.targets.docker import images
from cartridge.targets.docker.client import connect
from cartridge.workspace import settings
from tests.conformance.harness import LEASE, Behaviour, Harness, World
from tests.doubles.driver import FakeDriver
from tests.doubles.engine import FakeEngine

Maker = Callable[[Path], AbstractContextManager[Harness]]
"""Makes a harness with a folder of its own, and removes all it made afterwards."""


@dataclass
class FakeHarness:
    """Components in memory."""

    engine: Engine
    installed: Installed
    has_folders: bool = False

    def command(self, behaviour: Behaviour) -> tuple[str, ...]:
        """Return the script of a `FakeComponent`."""
        says = [word for line in behaviour.says for word in ("--say", line)]
        ends = [] if behaviour.ends is None else ["--exit", str(behaviour.ends)]
        return ("fake", *says, *(["--deaf"] if behaviour.deaf else []), *ends)

    def crash(self, identity: str) -> None:
        """Let it die."""
        driver = self.engine.driver()
        assert isinstance(driver, FakeDriver)
        driver.die(identity.rpartition("-")[0], -9)


@dataclass
class ProcessHarness:
    """Real processes: the shell, `sleep`, `cat` and `false` of this machine."""

    engine: Engine
    installed: Installed
    has_folders: bool = True

    def command(self, behaviour: Behaviour) -> tuple[str, ...]:
        """Return a line of shell."""
        says = [f"echo '{line}'" for line in behaviour.says]
        ends = "exec sleep 1000" if behaviour.ends is None else f"exit {behaviour.ends}"
        return ("/bin/sh", "-c", "; ".join([*(["trap '' TERM"] if behaviour.deaf else []), *says, ends]))

    def crash(self, identity: str) -> None:
        """Kill the process."""
        os.kill(int(identity), signal.SIGKILL)


@contextmanager
def fake(folder: Path) -> Iterator[Harness]:
    """Make the harness of components in memory."""
    yield FakeHarness(FakeEngine(), installed(folder))


@contextmanager
def process(folder: Path) -> Iterator[Harness]:
    """Make the harness of real processes."""
    clock = SystemClock()
    given = settings.read({"HOME": str(folder / "home"), "CARTRIDGE_RUNTIME": str(folder / "run")})
    engine = DirectEngine(LEASE.stack, folder / "state" / LEASE.stack, given, clock, Recorder(clock))
    try:
        yield ProcessHarness(engine, installed(folder))
    finally:
        engine.destroy()


@dataclass
class DockerHarness:
    """Real containers of an image made from the same programs, through a real Pulumi."""

    engine: Engine
    installed: Installed
    has_folders: bool = False

    def command(self, behaviour: Behaviour) -> tuple[str, ...]:
        """Return a line of shell; the first process of a container has to ask for the signal that ends it."""
        says = [f"echo '{line}'" for line in behaviour.says]
        hears = "trap '' TERM" if behaviour.deaf else "trap 'exit 0' TERM"
        ends = f"{hears}; sleep 1000 & wait" if behaviour.ends is None else f"exit {behaviour.ends}"
        return (f"{images.PROGRAMS}/sh", "-c", "; ".join([*says, ends]))

    def crash(self, identity: str) -> None:
        """Kill the container's first process."""
        with contextlib.closing(connect()) as client:
            client.kill(identity)


@contextmanager
def docker(folder: Path) -> Iterator[Harness]:
    """Make the harness of real containers."""
    clock = SystemClock()
    given = settings.read({"HOME": str(folder / "home"), "PATH": os.defpath})
    state = folder / "state" / LEASE.stack
    engine = PulumiEngine(LEASE.stack, state, given, clock=clock, recorder=Recorder(clock), pulumi=pulumi)
    try:
        yield DockerHarness(engine, installed(folder))
    finally:
        engine.destroy()


@cache
def pulumi() -> Path:
    """Return the Pulumi CLI of the store."""
    context = Context.open(Options(stack="lightning-pair"), "test")
    try:
        return programs.tool(context, PULUMI)
    finally:
        context.close()


HARNESSES: dict[str, Maker] = {"fake": fake, "process": process, "docker": docker}
"""Every target under test, by name."""

MARKS: dict[str, tuple[pytest.MarkDecorator, ...]] = {"docker": (pytest.mark.docker, pytest.mark.pulumi)}
"""What a target needs, where it needs anything."""


@pytest.fixture(params=[pytest.param(name, marks=MARKS[name]) if name in MARKS else name for name in HARNESSES])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One target with an engine that has nothing yet."""
    folder = tmp_path_factory.mktemp("w")
    with HARNESSES[request.param](folder) as harness:
        yield World(harness, [], [])


def installed(folder: Path) -> Installed:
    """Return the programs of this machine that the behaviours need."""
    names = ("sh", "cat", "false", "sleep", "rm")
    found = {name: Path(path) for name in names if (path := shutil.which(name))}
    return Installed(
        "shell", "1", "path", "sha256-none", folder, found, None, {name: str(found[name]) for name in found}
    )
