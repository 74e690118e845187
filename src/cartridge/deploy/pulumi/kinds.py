"""What each kind of resource does when Pulumi asks for it: make, look, start again, remove.

Joins the graph (what is wanted) with the provisioner (what Docker has). Everything is named by its Docker name, which
follows from the stack, so any act finds what an earlier one left.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from msgspec import Struct, field

from cartridge.deploy.engine import Gate, Started
from cartridge.deploy.pulumi.bringing import Bringing, bring
from cartridge.deploy.pulumi.graph import CONTAINER, NETWORK, VOLUME, Graph
from cartridge.errors import MissingError
from cartridge.journal.recorder import Recorder
from cartridge.targets.docker.conditions import Inspection
from cartridge.targets.docker.provisioner import Provisioner

Properties = dict[str, Any]
"""A resource's properties as Pulumi has them: plain JSON values."""


class Making(Struct, frozen=True):
    """What a kind needs to do its work.

    Attributes:
        docker: the Engine.
        graph: returns what is wanted; asked only to make something, never to look or remove.
        gate: returns when a component may start.
        started: told of each component that runs.
        recorder: the journal.
        begun: waits for what was begun ahead of Pulumi for a component ("" for the network), raises its failure, and
            tells whether there was anything.
        is_ending: everything of the stack goes, so nothing needs a polite end.
        lost: told the name of each volume that is removed.
    """

    docker: Provisioner
    graph: Callable[[], Graph]
    gate: Gate
    started: Started
    recorder: Recorder
    begun: Callable[[str], bool] = field(default=lambda component: False)
    is_ending: bool = False
    lost: Callable[[str], None] = field(default=lambda name: None)


class Kind(Protocol):
    """One type of resource."""

    def make(self, making: Making, inputs: Properties) -> Properties:
        """Make it, or adopt what is there, and return its outputs."""

    def look(self, making: Making, name: str, state: Properties) -> Properties | None:
        """Return what it is now, or None where it is gone."""

    def remove(self, making: Making, name: str) -> None:
        """Remove it; nothing happens where it is gone."""

    def replacing(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        """Return the properties whose change asks for another one."""

    def is_idle(self, old: Mapping[str, Any]) -> bool:
        """Tell whether it exists but does not run as it should."""


class NetworkKind:
    """The stack's network."""

    def make(self, making: Making, inputs: Properties) -> Properties:
        """Make it unless it was begun ahead."""
        with _step(making, "", "make/network", "network: making"):
            making.docker.ensure_network(making.graph().network)
        return inputs

    def look(self, making: Making, name: str, state: Properties) -> Properties | None:
        """Return its state unless it is gone."""
        return state if making.docker.has_network(name) else None

    def remove(self, making: Making, name: str) -> None:
        """Remove it."""
        making.docker.remove_network(name)

    def replacing(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        """Another name is another network."""
        return _differing(old, new, "name")

    def is_idle(self, old: Mapping[str, Any]) -> bool:
        """A network always works."""
        return False


class VolumeKind:
    """A component's data."""

    def make(self, making: Making, inputs: Properties) -> Properties:
        """Make it unless it was begun ahead."""
        component = inputs["component"]
        with _step(making, component, f"make/volume/{component}", f"{component}: making its volume"):
            making.docker.ensure_volume(making.graph().volumes[component])
        return inputs

    def look(self, making: Making, name: str, state: Properties) -> Properties | None:
        """Return its state unless it is gone."""
        return state if making.docker.has_volume(name) else None

    def remove(self, making: Making, name: str) -> None:
        """Remove it, and before it the container that still uses it: both have the component's name."""
        making.docker.remove_container(name, politely=False)
        making.docker.remove_volume(name)
        making.lost(name)

    def replacing(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        """Another epoch is other data."""
        return _differing(old, new, "name", "epoch")

    def is_idle(self, old: Mapping[str, Any]) -> bool:
        """A volume always works."""
        return False


class ContainerKind:
    """A component's container: it runs once Pulumi is told that it is there."""

    def make(self, making: Making, inputs: Properties) -> Properties:
        """Make it with its files and start it when the gate opens, unless both were done ahead."""
        component = inputs["component"]
        spec = making.graph().containers[component]
        if not making.begun(component):
            docker = making.docker
            make = docker.ensure_container
            bring(Bringing(docker, making.recorder, make, lambda _: None, making.gate, making.started), spec)
        return {**inputs, **_outputs(making.docker.container(spec.name))}

    def look(self, making: Making, name: str, state: Properties) -> Properties | None:
        """Return what it is now, drift included."""
        seen = making.docker.container(name)
        if seen is None:
            return None
        return {**state, "digest": seen.digest or state.get("digest"), **_outputs(seen)}

    def remove(self, making: Making, name: str) -> None:
        """End it as its `stop` says, or at once where its data goes too, and remove it."""
        making.docker.remove_container(name, politely=not making.is_ending)

    def replacing(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        """Another digest is another container; so is another volume or network under it."""
        return _differing(old, new, "name", "digest", "volume", "network")

    def is_idle(self, old: Mapping[str, Any]) -> bool:
        """It was seen stopped or failed, or never came to run."""
        return old.get("running") is False


KINDS: dict[str, Kind] = {NETWORK: NetworkKind(), VOLUME: VolumeKind(), CONTAINER: ContainerKind()}
"""Every kind by its type."""


def kind_of(urn: str) -> Kind:
    """Return the kind of a resource.

    Raises:
        MissingError: `resource-unknown`, no kind of ours.
    """
    token = urn.split("::")[2].rpartition("$")[2]
    if token not in KINDS:
        raise MissingError(f"this provider has no resources of type `{token}`", code="resource-unknown")
    return KINDS[token]


def _step(making: Making, component: str, step: str, title: str) -> contextlib.AbstractContextManager[object]:
    """Return the step of an act; none where it was begun ahead, and recorded there."""
    return contextlib.nullcontext() if making.begun(component) else making.recorder.step(step, title)


def _outputs(seen: Inspection | None) -> Properties:
    if seen is None:
        return {"running": False, "hostPorts": {}}
    return {"running": seen.is_fine, "hostPorts": seen.published}


def _differing(old: Mapping[str, Any], new: Mapping[str, Any], *names: str) -> list[str]:
    return [name for name in names if old.get(name) != new.get(name)]
