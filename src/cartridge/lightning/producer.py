"""The one who makes blocks, with a barrier: after each call every node has come to the tip before anything goes on.

Nobody else mines while a network is being raised, so no step ever meets a node that is still catching up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import TypeVar

from cartridge.lightning.chains.bitcoind import Chain, Output
from cartridge.lightning.nodes.node import Node, NotYetError
from cartridge.probes.wait import Patience, until

LANES = 8
"""Nodes that are asked again and again at a time. All of them at once would keep the processors busy with answering
while there is work to do; the later ones are mostly there already when it is their turn."""

In = TypeVar("In")
Out = TypeVar("Out")


def in_lanes(pool: Executor, step: Callable[[In], Out], over: Iterable[In]) -> list[Out]:
    """Do a step that waits for each of these, a few at a time, and return what came, in their order."""
    things = list(over)
    lanes = pool.map(lambda start: [step(thing) for thing in things[start::LANES]], range(min(LANES, len(things))))
    results = list(lanes)
    return [results[place % LANES][place // LANES] for place in range(len(things))]


class BlockProducer:
    """Mines on `chain` and waits for `nodes`.

    Args:
        chain: where blocks are made.
        nodes: who must follow, by name.
        patience: how long a node may take.
        pool: asks the nodes at the same time.
    """

    def __init__(self, chain: Chain, nodes: Mapping[str, Node], patience: Patience, pool: Executor) -> None:
        self.chain, self._nodes, self._patience, self._pool = chain, nodes, patience, pool

    def mine(self, blocks: int = 1) -> tuple[str, ...]:
        """Mine blocks and return their hashes once every node follows.

        Raises:
            UnknownVerdictError: `wait-timeout`, with the node that does not.
        """
        hashes = self.chain.mine(blocks)
        self.gather()
        return hashes

    def confirm(self, txids: Sequence[str]) -> None:
        """Mine one block with these transactions in this order, and return once every node follows."""
        self.chain.confirm(txids)
        self.gather()

    def pay(self, outputs: Sequence[Output]) -> str:
        """Pay on the chain, confirmed, and return the transaction's id once every node follows."""
        txid = self.chain.pay(outputs)
        self.gather()
        return txid

    def gather(self) -> None:
        """Return once every node is at the tip."""
        height = self.chain.tip().height
        in_lanes(self._pool, lambda node: self._arrive(node, height), self._each())

    def _each(self) -> Iterable[Node]:
        return self._nodes.values()

    def _arrive(self, node: Node, height: int) -> None:
        def at_tip() -> bool:
            info = node.info()
            return info.synced and info.height >= height

        until(at_tip, f"`{node.name}` to come to block {height}", self._patience, expected=(NotYetError,))
