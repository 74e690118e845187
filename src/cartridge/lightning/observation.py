"""A look at the nodes of a live network. Only asks, all at the same time; changes nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, runtime_checkable

from cartridge.errors import UnknownVerdictError
from cartridge.lightning.nodes.node import Node, Policy
from cartridge.lightning.topology import Seen
from cartridge.probes.wait import Patience, until

_FORWARDS_WITHIN = 10.0
"""Seconds."""


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


def hears_all_forward(node: Node, points: Set[str]) -> bool:
    """Return whether a node takes each of these channels that it knows of for one that forwards."""
    return not any(edge.disabled for edge in node.edges() if edge.point in points)


def await_forwarding(node: Node, points: Set[str], patience: Patience) -> None:
    """Return once a node takes each of these channels that it knows of for one that forwards: it pays over no other.

    An end says that its channel is down some seconds after its peer went away, and that it is back one second after
    he is. What is down for longer was made so by hand, and stays so.
    """
    what = f"`{node.name}` to hear of channels that forward"
    with contextlib.suppress(UnknownVerdictError):
        until(lambda: hears_all_forward(node, points), what, patience.at_most(_FORWARDS_WITHIN))


def look_at_graph(node: Node) -> Mapping[tuple[str, str], Policy]:
    """Return the policies a node knows, by the channel's point and the end's public key."""
    return {
        (edge.point, pubkey): policy
        for edge in node.edges()
        for pubkey, policy in zip(edge.ends, edge.policies, strict=True)
        if policy is not None
    }
