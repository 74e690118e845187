"""Taking the newest blocks of a regtest chain away again: the first half of a reorganisation.

What was in them waits for a block again. Between the two halves the chain is shorter than its nodes have seen, which
the next block mends, whoever mines it. `Chain.undo` is the door to this.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, Protocol

from msgspec import Struct, convert, field

from cartridge.probes.bitcoind import RefusedError


class Rpc(Protocol):
    """What bitcoind's and btcd's RPC have in common."""

    def call(self, method: str, *parameters: object) -> Any:
        """Return the result of `method`."""


class Undone(Struct, frozen=True):
    """Blocks that are no longer in the chain (hashes, oldest first), and the transactions (ids) that were in them."""

    blocks: tuple[str, ...]
    transactions: tuple[str, ...]


class _Transaction(Struct, frozen=True):
    hex: str
    txid: str


class _Block(Struct, frozen=True):
    """Its transactions, by btcd's name or by bitcoind's."""

    rawtx: list[_Transaction] = field(default_factory=list)
    tx: list[_Transaction] = field(default_factory=list)


def undo(rpc: Rpc, blocks: int) -> Undone:
    """Take `blocks` blocks from the tip of a chain that has more, and put what was in them into the mempool.

    Raises:
        RefusedError: the daemon refuses.
    """
    height = int(rpc.call("getblockcount"))
    hashes = [str(rpc.call("getblockhash", one)) for one in range(height - blocks + 1, height + 1)]
    inside = [one for block in hashes for one in _inside(rpc, block)]
    rpc.call("invalidateblock", hashes[0])
    _send_again(rpc, inside)
    return Undone(tuple(hashes), tuple(one.txid for one in inside))


def _inside(rpc: Rpc, block: str) -> Sequence[_Transaction]:
    """Return what a block confirms, but for its reward."""
    confirmed = convert(rpc.call("getblock", block, 2), _Block)
    return (confirmed.rawtx or confirmed.tx)[1:]


def _send_again(rpc: Rpc, transactions: Sequence[_Transaction]) -> None:
    """Send what the daemon did not keep by itself: bitcoind does so for the last ten blocks alone."""
    there = set(rpc.call("getrawmempool"))
    for one in transactions:
        if one.txid not in there:
            with contextlib.suppress(RefusedError):  # it spent a reward that is no more; the caller sees it missing
                rpc.call("sendrawtransaction", one.hex)
