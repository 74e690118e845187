"""Brings one container to run: made, started, and let through its gate. Safe to repeat at any point.

A held container starts before its gate opens: the Engine's share of a start, which is most of it, is done while what
the component needs is becoming ready. Its own program waits until it is released. Decides nothing about order.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from cartridge.deploy.engine import Gate, Started
from cartridge.journal.recorder import Recorder
from cartridge.targets.docker.conditions import Inspection
from cartridge.targets.docker.provisioner import Provisioner
from cartridge.targets.docker.specs import ContainerSpec


class Bringing(Struct, frozen=True):
    """What is needed to bring containers to run.

    Attributes:
        docker: the Engine.
        recorder: told the steps `make/container/NAME` and `start/NAME`.
        make: makes the container unless it is there, its network with it, and looks at it.
        running: told that the container runs, its own program perhaps not yet.
        gate: returns when the component may run.
        started: told that it does.
    """

    docker: Provisioner
    recorder: Recorder
    make: Callable[[ContainerSpec], Inspection]
    running: Started
    gate: Gate
    started: Started


def bring(by: Bringing, spec: ContainerSpec) -> None:
    """Return when the component's own program runs.

    Raises:
        ApplyError: what Docker refused, or what the gate raises.
    """
    component = spec.component
    with by.recorder.step(f"make/container/{component}", f"{component}: making its container"):
        seen = by.make(spec)
    if by.docker.is_held(spec):
        if not seen.is_fine:
            _start(by, spec)
        by.running(component)  # a killed run may have started it: its gate may wait for what starts after this is told
        by.gate(component)
        by.docker.release(spec)
    elif not seen.is_fine:
        by.gate(component)
        _start(by, spec)
        by.running(component)
    by.started(component)


def _start(by: Bringing, spec: ContainerSpec) -> None:
    with by.recorder.step(f"start/{spec.component}", f"{spec.component}: starting"):
        by.docker.start(spec)
