"""A look at the nodes of a live network. Only asks, all at the same time; changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, runtime_checkable

from cartridge.lightning.nodes.node import Node, Policy
from cartridge.lightning.topology import Seen


def observe(nodes: Mapping[str, Node]) -> Mapping[str, Seen]:
    """Return what every node looks like, by name, for `topology.plan_network`."""
    with ThreadPoolExecutor(max(1, len(nodes))) as pool:
        return dict(zip(nodes, pool.map(look, nodes.values()), strict=True))


def look(node: Node) -> Seen:
    """Return what one node looks like."""
    return Seen(node.info().pubkey, node.channels(), node.coins(), look_at_graph(node))


@runtime_checkable
class Remembering(Protocol):
    """A node that knows of the channels it had."""

    def closed(self) -> Mapping[str, bool]:
        """Return whether it was by force, for each channel that is closed or about to be, by its point."""


@runtime_checkable
class Relearning(Protocol):
    """A node that can ask for all its peers know of the network, not only by parting from them and coming back."""

    def relearn(self) -> None:
        """Ask them; it may be away for a moment, and has to be connected again."""


def how_closed(nodes: Iterable[Node]) -> Mapping[str, bool]:
    """Return whether it was by force, for each channel closed that one of the nodes remembers, by its point."""
    return {point: force for node in nodes if isinstance(node, Remembering) for point, force in node.closed().items()}


def look_at_graph(node: Node) -> Mapping[tuple[str, str], Policy]:
    """Return the policies a node knows, by the channel's point and the end's public key."""
    return {
        (edge.point, pubkey): policy
        for edge in node.edges()
        for pubkey, policy in zip(edge.ends, edge.policies, strict=True)
        if policy is not None
    }
