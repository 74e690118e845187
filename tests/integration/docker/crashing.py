"""What the crash tests share with the child process that dies: run as a program, it brings a stack up and kills.

usage: crashing.py FOLDER PULUMI STACK STEP us|pulumi
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from cartridge.artifacts.installed import Installed
from cartridge.clock import SystemClock
from cartridge.deploy.engine import Lease, Wanted
from cartridge.deploy.pulumi.engine import PulumiEngine
from cartridge.errors import CartridgeError
from cartridge.journal.events import StepStarted
from cartridge.journal.recorder import Entry, Recorder
from cartridge.model.cartridge import Port, Stop
from cartridge.render.bundle import RenderedComponent, RenderedFile
from cartridge.workspace import settings

STAY = "trap 'exit 0' TERM; sleep 1000 & wait"


def engine(folder: Path, pulumi: Path, name: str, listener: Callable[[Entry], None] | None = None) -> PulumiEngine:
    """Return a new engine."""
    clock = SystemClock()
    given = settings.read({"HOME": str(folder / "home"), "PATH": os.defpath})
    recorder = Recorder(clock, None, (listener,) if listener else ())
    return PulumiEngine(name, folder / "state" / name, given, clock=clock, recorder=recorder, pulumi=lambda: pulumi)


def wanted(name: str, programs: Installed, digest: str) -> Wanted:
    """Return a component that stays until it is ended."""
    files = (RenderedFile("its.conf", b"key=value\n", 0o600),)
    return Wanted(
        name=name,
        digest=digest,
        installed=programs,
        rendered=RenderedComponent(name, ("/opt/cartridge/bin/sh", "-c", STAY), {}, files),
        ports={"rpc": Port(container=8080)},
        host_ports={},
        depends_on=(),
        stop=Stop(signal="SIGTERM"),
        seed=lambda: {"seed": name.encode()},
    )


def up(target: PulumiEngine, components: Sequence[Wanted], gate: Callable[[str], None], name: str) -> None:
    """Begin, place and apply."""
    target.begin(Lease(name, "tests@here:/", "2030-01-01T00:00:00+00:00", "", "0" * 64))
    target.place({one.name: (one.ports, one.host_ports, one.installed) for one in components})
    target.apply(components, (), gate, lambda component: None)


def programs(folder: Path) -> Installed:
    """Return the programs the containers run."""
    names = ("sh", "cat", "false", "sleep")
    found = {name: Path(path) for name in names if (path := shutil.which(name))}
    return Installed("shell", "1", "path", "sha256-none", folder, found, None, {})


def main() -> int:
    """Bring `alice` and `bob` up; at the step, kill."""
    folder, pulumi, name, step, victim = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:6]

    def listen(entry: Entry) -> None:
        if isinstance(entry.event, StepStarted) and entry.event.step == step:
            kill(victim)

    def gate(component: str) -> None:
        if step == f"gate/{component}":
            kill(victim)

    shell = programs(folder)
    try:
        up(engine(folder, pulumi, name, listen), [wanted(one, shell, "first") for one in ("alice", "bob")], gate, name)
    except CartridgeError as error:
        sys.stderr.write(f"{error.code}: {error} {error.details}\n")
        return int(error.exit_status)
    return 0


def kill(victim: str) -> None:
    """Kill this process, or have the Pulumi it starts killed once it is there."""
    if victim == "us":
        os.kill(os.getpid(), signal.SIGKILL)
    threading.Thread(target=kill_pulumi, daemon=True).start()


def kill_pulumi() -> None:
    """Wait for the CLI and kill it."""
    while not (found := [child for child in psutil.Process().children(recursive=True) if child.name() == "pulumi"]):
        pass
    found[0].kill()


if __name__ == "__main__":
    sys.exit(main())
