"""What the conformance suites need of a target: an engine, and components of known behaviour for it.

A target takes part by adding its harness to `HARNESSES` in `conftest.py`; the suites know none by name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from cartridge.artifacts.installed import Installed
from cartridge.clock import SystemClock
from cartridge.deploy.engine import Engine, Lease, Wanted
from cartridge.model.cartridge import Port, Stop
from cartridge.plan.change import Change
from cartridge.render.bundle import RenderedComponent, RenderedFile
from cartridge.targets.driver import Condition
from tests.conformance.waiting import until

LEASE = Lease(f"conformance-{os.getpid()}", "tests@here:/", "2030-01-01T00:00:00+00:00", "", "0" * 64)
"""Of a stack that another run of the suite on this machine does not have."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a component does: prints lines, then stays until it is ended (deaf: killed), or ends with a status."""

    says: tuple[str, ...] = ()
    ends: int | None = None
    deaf: bool = False


class Harness(Protocol):
    """One target under test.

    Attributes:
        engine: of a stack that has nothing yet; whoever made the harness removes what is left.
        installed: programs that `cat`, `false` and the behaviours need.
        has_folders: whether `data_folder` returns a path.
    """

    engine: Engine
    installed: Installed
    has_folders: bool

    def command(self, behaviour: Behaviour) -> tuple[str, ...]:
        """Return the command line of a component that behaves so."""

    def crash(self, identity: str) -> None:
        """Kill the component that has this identity, so that it ends by itself."""


@dataclass
class World:
    """A harness with what every test does with it.

    Attributes:
        target: the harness.
        gated: names the engine asked about, in order.
        told: names the engine said had started, in order.
    """

    target: Harness
    gated: list[str]
    told: list[str]

    @property
    def engine(self) -> Engine:
        """The engine under test."""
        return self.target.engine

    def wanted(self, name: str, behaviour: Behaviour = Behaviour(), **changes: object) -> Wanted:
        """Return a component; `changes` are fields of `Wanted`."""
        one = Wanted(
            name=name,
            digest="first",
            installed=self.target.installed,
            rendered=RenderedComponent(
                name, self.target.command(behaviour), {}, (RenderedFile("its.conf", b"key=value\n"),)
            ),
            ports={"rpc": Port(container=8080)},
            host_ports={},
            depends_on=(),
            stop=Stop(signal="SIGTERM", grace="5 s"),
        )
        return replace(one, **changes)  # type: ignore[arg-type]

    def up(self, *wanted: Wanted, changes: Sequence[Change] = (), gate: Callable[[str], None] | None = None) -> None:
        """Begin, place and apply."""

        def ask(name: str) -> None:
            self.gated.append(name)
            if gate is not None:
                gate(name)

        self.engine.begin(LEASE)
        self.engine.place({one.name: (one.ports, one.host_ports, one.installed) for one in wanted})
        self.engine.apply(wanted, changes, ask, self.told.append)

    def conditions(self) -> Mapping[str, Condition]:
        """Return how every component is."""
        return self.engine.driver().conditions()

    def states(self) -> Mapping[str, str]:
        """Return the state of every component."""
        return {name: str(condition.state) for name, condition in self.conditions().items()}

    def crash(self, name: str) -> None:
        """Let a component end by itself, at once."""
        self.target.crash(self.conditions()[name].identity)

    def wait_for(self, name: str, state: str) -> None:
        """Return when the component is in that state."""
        until(lambda: self.states().get(name) == state, f"{name} is {state}", SystemClock())
