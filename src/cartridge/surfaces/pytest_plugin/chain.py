"""The Bitcoin chain under a test's network: its height, its coins, its command line."""

from __future__ import annotations

from cartridge.lightning.chains.bitcoind import Output
from cartridge.operations.access import follow, grip
from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen
from cartridge.plan.state import State
from cartridge.surfaces.pytest_plugin.running import Running
from cartridge.surfaces.pytest_plugin.values import SATOSHI, Amount, millisatoshis, plainly


class LightningChain(Running):
    """The regtest chain of a test's network; `lightning.mine` makes blocks that the nodes have seen.

    Args:
        context: of the fork.
        state: what is up; it has a chain.

    Attributes:
        chain: its adapter (`cartridge.lightning.chains.bitcoind.Chain`), for what has no method here.

    Raises:
        MissingError: `no-chain`.
    """

    def __init__(self, context: Context, state: State) -> None:
        self.chain = grip.chain(context, state)
        super().__init__(context, next(name for name, one in state.components.items() if one.kind in grip.CHAINS))

    @property
    @plainly
    def height(self) -> int:
        """The height of its newest block."""
        return self.chain.tip().height

    @plainly
    def mempool(self) -> frozenset[str]:
        """Return the ids of the transactions that wait for a block."""
        return self.chain.mempool()

    @plainly
    def pay(self, address: str, amount: Amount) -> str:
        """Send coins to an address, in a block that every running node then has, and return the transaction's id."""
        state = chosen(self.context)
        nodes, _ = follow.awake(grip.nodes(self.context, state))
        with follow.producer(self.context, state, nodes) as producer:
            return producer.pay([Output(address, millisatoshis(amount) // SATOSHI)])
