"""Compares what Docker has with what a graph says. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from cartridge.deploy.pulumi.graph import CONTAINER, NETWORK, SHARED, VOLUME, Graph, urn
from cartridge.plan.change import Change, ChangeKind
from cartridge.targets.docker.provisioner import Holding
from cartridge.targets.docker.specs import ContainerSpec


def differences(graph: Graph, holding: Holding) -> Iterator[Change]:
    """Yield a change for everything that is not as the graph says: what is gone, idle, another one, or too much."""
    if graph.network.name not in holding.networks:
        yield Change(ChangeKind.CREATE, f"network/{SHARED}", "its network is gone")
    for component, spec in graph.containers.items():
        if (found := _difference(spec, holding)) is not None:
            yield Change(found[0], f"component/{component}", found[1])
    for component in holding.containers:
        if component not in graph.containers:
            yield Change(ChangeKind.DELETE, f"component/{component}", "the stack has no such component")


def _difference(spec: ContainerSpec, holding: Holding) -> tuple[ChangeKind, str] | None:
    seen = holding.containers.get(spec.component)
    if spec.volume not in holding.volumes.values():
        return ChangeKind.REPLACE, "its volume is gone"
    if seen is None:
        return ChangeKind.CREATE, "its container is gone"
    if seen.digest != spec.digest:
        return ChangeKind.UPDATE, "its container is another one than was made"
    if not seen.is_fine:
        return ChangeKind.START, f"its container is {seen.status}"
    return None


def urns(graph: Graph, stack: str) -> frozenset[str]:
    """Return what Pulumi calls the resources of the graph."""
    both = [urn(stack, kind, component) for kind in (VOLUME, CONTAINER) for component in graph.containers]
    return frozenset((urn(stack, NETWORK, SHARED), *both))


def is_lost(graph: Graph, holding: Holding, known: frozenset[str], stack: str) -> bool:
    """Tell whether something Pulumi believes to be there is gone, another one or idle, so that it must look again."""
    if urn(stack, NETWORK, SHARED) in known and graph.network.name not in holding.networks:
        return True
    return any(
        (urn(stack, VOLUME, component) in known and spec.volume not in holding.volumes.values())
        or (urn(stack, CONTAINER, component) in known and not _is_there(holding, component))
        for component, spec in graph.containers.items()
    )


def _is_there(holding: Holding, component: str) -> bool:
    seen = holding.containers.get(component)
    return seen is not None and seen.is_fine
