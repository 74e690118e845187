"""`fund`: coins from the chain's miner to a node's wallet, confirmed."""

from __future__ import annotations

from cartridge.errors import InputError
from cartridge.operations import grip
from cartridge.operations.context import Context
from cartridge.operations.reports import FundResult
from cartridge.operations.selection import chosen
from cartridge.probes.wait import Patience, until

SATOSHI = 1_000
"""Millisatoshis in a satoshi."""
DUST = 1_000 * SATOSHI
"""The least that is worth a transaction's output."""
PATIENCE = 30.0
"""Seconds for the node to see its coins."""


def fund(context: Context, *, node: str, amount: int) -> FundResult:
    """Pay `amount` millisatoshis to a fresh address of `node`, confirm it, and return when the node has it.

    Raises:
        InputError: `amount-wrong`, no whole satoshis, or less than 1,000 of them.
        MissingError: no such stack or node.
        ApplyError: `coins-exhausted`.
    """
    if amount < DUST or amount % SATOSHI:
        raise InputError(
            "an on-chain payment is a whole number of satoshis, 1,000 at least",
            code="amount-wrong",
            resolution="write an amount such as `100_000 sat`",
        )
    from cartridge.lightning.chain import Output

    state = chosen(context)
    chain, to = grip.chain(context, state), grip.node(context, state, node)
    before = sum(coin.amount for coin in to.coins())
    with context.recorder.step("fund", f"{node}: sending coins"):
        txid = chain.pay([Output(to.new_address(), amount // SATOSHI)])

        def arrived() -> int | None:
            balance = sum(coin.amount for coin in to.coins() if coin.confirmations)
            return balance if balance >= before + amount // SATOSHI else None

        patience = Patience.of(context.clock, PATIENCE, context.cancelled)
        balance = until(arrived, f"`{node}` to see its coins", patience)
    return FundResult(node, amount, txid, chain.tip().height, balance * SATOSHI)
