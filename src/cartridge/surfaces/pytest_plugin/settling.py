"""Waits until what was paid is the payee's to spend: a payer knows a moment before the payee's channel does."""

from __future__ import annotations

from cartridge.errors import CartridgeError
from cartridge.lightning.nodes.node import Node
from cartridge.operations.access import follow, grip
from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen
from cartridge.operations.pay import is_invoice
from cartridge.probes.wait import until

BOUND = 5.0
"""Seconds; a payee that pays others at the same time may never hold what it was paid."""
SATOSHI = 1_000


class Payee:
    """Who is paid, and what it had before; nobody where it is no node of the network.

    Args:
        context: of the fork.
        payer: who pays.
        payee: a node's name, or the text of an invoice.
    """

    def __init__(self, context: Context, payer: Node, payee: str) -> None:
        self._context = context
        state = chosen(context)
        if is_invoice(payee):
            payee = follow.names(context, state).get(payer.decode(payee).payee, "")
        self._node = grip.nodes(context, state).get(payee)
        self._before = _owned(self._node) if self._node else (0, 0)

    def await_payment(self, amount: int) -> None:
        """Return once `amount` millisatoshis have arrived, or after five seconds."""
        node = self._node
        if node is None:
            return
        wanted = tuple(before + amount // SATOSHI for before in self._before)

        def arrived() -> bool:
            return any(has >= enough for has, enough in zip(_owned(node), wanted, strict=True))

        try:
            until(arrived, f"`{node.name}` to have what it was paid", follow.patience(self._context, BOUND))
        except CartridgeError:  # it was paid all the same, as its preimage proves
            return


def _owned(node: Node) -> tuple[int, int]:
    """Return all a node was ever paid and all it could spend in its channels, in satoshis."""
    channels = node.channels()
    return sum(one.received for one in channels), sum(one.local for one in channels)
