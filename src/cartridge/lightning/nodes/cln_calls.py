"""Questions and orders to one Core Lightning, with refusals told apart. Knows no single order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel

from cartridge.lightning.nodes import cln_wire as wire
from cartridge.lightning.nodes.node import NotYetError
from cartridge.probes.cln import ClnRpc, RefusedError

FEE_RATE = "253perkw"
"""The least a transaction may pay; about a satoshi per virtual byte."""
_NOT_YET = (
    "still syncing",
    "not connected",
    "synchronizing blockchain",
    "wallet is fully synced",
    "startup",
    "not yet",
    "shutting down",
)
"""What refusals say when waiting helps: its own, and those of peers it passes on."""
_KEPT_BLOCKS = 4_096

Transactions = Callable[[int], Sequence[str]]
"""Returns the ids of the transactions of the block at a height, in their order."""


class Notes(BaseModel):
    """How a node is reached: its data folder, and the bitcoind that knows the blocks its graph speaks of."""

    folder: Path
    bitcoind_host: str
    bitcoind_port: int


class ClnCalls:
    """The base of `cln.Cln`.

    Args:
        rpc: how to reach it.
        transactions: asks the chain.
    """

    def __init__(self, rpc: ClnRpc, transactions: Transactions) -> None:
        self._rpc, self._transactions = rpc, lru_cache(_KEPT_BLOCKS)(transactions)

    @property
    def name(self) -> str:
        """Return the node's name in the network."""
        return self._rpc.name

    def _call(self, method: str, **parameters: object) -> object:
        try:
            return self._rpc.call(method, **parameters)  # type: ignore[arg-type] # no order has a parameter `within`
        except RefusedError as error:
            raise translated(error) from error

    def _channels(self) -> list[wire.Channel]:
        return wire.Channels.model_validate(self._call("listpeerchannels")).channels


def translated(error: RefusedError) -> RefusedError | NotYetError:
    """Return the refusal, or what says that waiting will help."""
    if any(sign in error.brief.lower() for sign in _NOT_YET):
        return NotYetError(error.brief, code="cln-not-yet", resolution="wait a moment and try again")
    return error
