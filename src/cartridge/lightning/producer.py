"""The one who makes blocks, with a barrier: after each call every node has come to the tip before anything goes on.

Nobody else mines while a network is being raised, so no step ever meets a node that is still catching up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor

from cartridge.lightning.chain import Chain, Output
from cartridge.lightning.node import Node
from cartridge.probes.wait import Patience, until


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

    def pay(self, outputs: Sequence[Output]) -> str:
        """Pay on the chain, confirmed, and return the transaction's id once every node follows."""
        txid = self.chain.pay(outputs)
        self.gather()
        return txid

    def gather(self) -> None:
        """Return once every node is at the tip."""
        height = self.chain.tip().height
        for _ in self._pool.map(lambda node: self._arrive(node, height), self._each()):
            pass

    def _each(self) -> Iterable[Node]:
        return self._nodes.values()

    def _arrive(self, node: Node, height: int) -> None:
        def at_tip() -> bool:
            info = node.info()
            return info.synced and info.height >= height

        until(at_tip, f"`{node.name}` to come to block {height}", self._patience)
