"""`fund`: coins from the chain's miner to a node's wallet or to any address, confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartridge.errors import InputError
from cartridge.operations.access import follow, grip
from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen
from cartridge.operations.results.networks import FundResult
from cartridge.probes.wait import until

if TYPE_CHECKING:
    from cartridge.lightning.chains.bitcoind import Chain, Output

SATOSHI = 1_000
"""Millisatoshis in a satoshi."""
DUST = 1_000 * SATOSHI
"""The least that is worth a transaction's output."""
PATIENCE = 30.0
"""Seconds for the node to see its coins."""
_ADDRESSES = ("bcrt1", "m", "n", "2")
"""How regtest addresses begin: bech32, and the older two kinds."""
_SHORTEST, _NO_ADDRESS = 26, -5
"""Characters of the shortest address; bitcoind's error number for what is none."""


def fund(context: Context, *, node: str, amount: int) -> FundResult:
    """Pay `amount` millisatoshis to a fresh address of `node`, confirm it, and return when the node has it.

    Args:
        context: of this run.
        node: its name, or a regtest address.
        amount: whole satoshis.

    Raises:
        InputError: `amount-wrong`, no whole satoshis, or less than 1,000 of them; `address-wrong`.
        MissingError: no such stack or node.
        ApplyError: `coins-exhausted`.
    """
    if amount < DUST or amount % SATOSHI:
        raise InputError(
            "an on-chain payment is a whole number of satoshis, 1,000 at least",
            code="amount-wrong",
            resolution="write an amount such as `100_000 sat`",
        )
    from cartridge.lightning.chains.bitcoind import Output

    state = chosen(context)
    chain = grip.chain(context, state)
    if node not in state.components and is_address(node):
        with context.recorder.step("fund", f"sending coins to {node}"):
            txid = _sent(chain, Output(node, amount // SATOSHI))
        return FundResult("", amount, txid, chain.tip().height, 0, node)
    to = grip.node(context, state, node)
    before = sum(coin.amount for coin in to.coins())
    with context.recorder.step("fund", f"{node}: sending coins"):
        address = to.new_address()
        txid = chain.pay([Output(address, amount // SATOSHI)])

        def arrived() -> int | None:
            balance = sum(coin.amount for coin in to.coins() if coin.confirmations)
            return balance if balance >= before + amount // SATOSHI else None

        balance = until(arrived, f"`{node}` to see its coins", follow.patience(context, PATIENCE))
    return FundResult(node, amount, txid, chain.tip().height, balance * SATOSHI, address)


def is_address(text: str) -> bool:
    """Return whether this looks like a regtest address; only the chain knows whether it is one."""
    return len(text) >= _SHORTEST and text.startswith(_ADDRESSES) and "-" not in text


def _sent(chain: Chain, output: Output) -> str:
    from cartridge.probes.bitcoind import RefusedError

    try:
        return chain.pay([output])
    except RefusedError as error:
        if error.number != _NO_ADDRESS:
            raise
        raise InputError(
            f"`{output.address}` is no address of a regtest chain",
            code="address-wrong",
            resolution="give an address that begins with `bcrt1`, or the name of a node",
        ) from error
