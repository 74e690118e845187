"""What an engine is given and what it must do; one engine a target.

An engine makes, changes and deletes resources and nothing else: it does not wait for readiness (the gate it
is handed does), does not watch what it started (`Driver.deaths` tells) and does not render.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from cartridge.artifacts.installed import Installed
from cartridge.plan.change import Change
from cartridge.render.bundle import RenderedComponent
from cartridge.targets.copying import Content
from cartridge.targets.driver import Driver

if TYPE_CHECKING:  # models cost a tenth of a second, and `down` needs none
    from cartridge.model.cartridge import Port, Stop


class Lease(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose a resource is and how long it may live; written on every resource before it is made.

    Attributes:
        stack: the stack's id, unique on this machine.
        owner: `user@host:project-root`.
        created: ISO 8601 in UTC.
        expires: ISO 8601 in UTC, or "" for never.
        lock_digest: SHA-256 (hex) of `cartridge.lock`.
    """

    stack: str
    owner: str
    created: str
    expires: str
    lock_digest: str


class Wanted(Struct, frozen=True):
    """One component as an engine must make it.

    Attributes:
        name: in the stack.
        digest: SHA-256 (hex) of everything that decides what it is; another digest means another component.
        installed: the programs it runs.
        rendered: its command, environment and files.
        ports: by name.
        host_ports: host ports asked for by name; 0 or absent takes a free one.
        depends_on: components whose existence must precede it.
        stop: how it is ended.
        seed: called once, only when the data folder is fresh: files (path relative to the data folder → content,
            written 0600) that must be there before the first start. May block until they are made.
        one_shot: it is meant to end: status 0 is then `done`, not `failed`.
    """

    name: str
    digest: str
    installed: Installed
    rendered: RenderedComponent
    ports: Mapping[str, Port]
    host_ports: Mapping[str, int]
    depends_on: tuple[str, ...]
    stop: Stop
    seed: Callable[[], Mapping[str, Content]] | None = None
    one_shot: bool = False


Gate = Callable[[str], None]
"""Called by an engine in a worker thread right before it starts a component; returns when it may start,
raises to give up. The engine calls `Started` right after. A component that is adopted (it runs as wanted
already) gets no `Gate`, only `Started`. When `apply` raises, gates may still be under way: who made them ends them."""
Started = Callable[[str], None]


class Placement(Protocol):
    """Where things are for one stack on one target; what templates may ask (docs/reference/templates.md)."""

    def listen(self, component: str, port: str) -> str:
        """Return the host:port the component must bind."""

    def reach(self, component: str, port: str) -> str:
        """Return the host:port at which another component reaches it."""

    def data(self, component: str) -> str:
        """Return the component's data folder, as it sees it."""

    def config(self, component: str) -> str:
        """Return the folder of its rendered files, as it sees it."""

    def program(self, component: str, binary: str) -> str:
        """Return the absolute path of one of its programs, as it sees it."""


class Engine(Protocol):
    """Makes resources of one stack on one target. Passes tests/conformance/test_engine.py."""

    def begin(self, lease: Lease) -> None:
        """Write the lease and arm the reaper; must come first. Safe to repeat (renews the lease)."""

    def place(self, components: Mapping[str, tuple[Mapping[str, Port], Mapping[str, int], Installed]]) -> Placement:
        """Reserve what must be known before rendering (ports) and return the placement.

        Args:
            components: by name: its ports, the host ports it insists on, its programs.
        """

    def apply(self, wanted: Sequence[Wanted], changes: Sequence[Change], gate: Gate, started: Started) -> None:
        """Carry out the changes; components not in `wanted` are deleted. Idempotent: a repeat adopts what is there.

        Raises:
            ApplyError: a component cannot be made or started.
            Exception: what a gate raised; it ends the apply at once.
        """

    def destroy(self) -> tuple[str, ...]:
        """Remove everything of this stack, data included, and return the resources removed."""

    def drift(self, wanted: Sequence[Wanted]) -> tuple[Change, ...]:
        """Compare what runs with what the last `apply` left; changes nothing."""

    def driver(self) -> Driver:
        """Return the grip on what runs."""
