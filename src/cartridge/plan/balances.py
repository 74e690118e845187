"""What nodes hold on the chain beside their channels, as written and as given. Pure; asks no node.

A balance is what a node is given, not what it has left: nobody pays it again because it spent some, and nothing is
taken from it where less is written now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cartridge.model.network import Network
from cartridge.model.quantities import format_amount
from cartridge.plan.change import Change, ChangeKind

LEAST = 1_000_000
"""Millisatoshis below which a difference is not worth an output of a transaction."""


def owed(network: Network | None, given: Mapping[str, int]) -> dict[str, int]:
    """Return what nodes are still to be given, in millisatoshis; who is not in `given` gets all when it is made."""
    nodes = network.nodes if network else {}
    missing = {name: nodes[name].balance - amount for name, amount in given.items() if name in nodes}
    return {name: amount for name, amount in missing.items() if amount >= LEAST}


def balance_changes(network: Network | None, given: Mapping[str, int]) -> tuple[Change, ...]:
    """Return a change for each wallet whose balance is written differently from what its node was given."""
    return tuple(_changes(network, given, owed(network, given)))


def surplus(network: Network | None, given: Mapping[str, int]) -> dict[str, int]:
    """Return how much more than is written now nodes were given, in millisatoshis."""
    nodes = network.nodes if network else {}
    more = {name: amount - nodes[name].balance for name, amount in given.items() if name in nodes}
    return {name: amount for name, amount in more.items() if amount > 0}


def _changes(network: Network | None, given: Mapping[str, int], missing: Mapping[str, int]) -> Iterator[Change]:
    more = surplus(network, given)
    for name, node in (network.nodes if network else {}).items():
        if name in missing:
            was, now = format_amount(given[name]), format_amount(node.balance)
            reason = f"its balance grows from {was} to {now}: the difference is paid"
            yield Change(ChangeKind.UPDATE, f"wallet/{name}", reason)
        elif name in more:
            reason = f"it was given {format_amount(more[name])} more than is written now, and keeps it"
            yield Change(ChangeKind.KEEP, f"wallet/{name}", reason)
        elif node.balance > given.get(name, node.balance):
            reason = f"its balance grows by less than {format_amount(LEAST)}, which is too little to pay"
            yield Change(ChangeKind.KEEP, f"wallet/{name}", reason)
