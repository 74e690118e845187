"""Questions and orders to one eclair and to its wallet, which bitcoind keeps; refusals told apart.

A coin is chosen by locking all others while eclair funds a channel. bitcoind also remembers, as labels, what eclair has
no place for: the names of channels. Knows nothing of payments.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeVar

from pydantic import BaseModel

from cartridge.clock import SystemClock
from cartridge.lightning.nodes import eclair_wire as wire
from cartridge.lightning.nodes.node import NotYetError, WalletCoin
from cartridge.probes import bitcoind
from cartridge.probes.bitcoind import BitcoindRpc
from cartridge.probes.eclair import EclairHttp, RefusedError
from cartridge.probes.wait import Patience

Answer = TypeVar("Answer", bound=BaseModel)
_LABEL = "cartridge channel"
_EXISTS = -4
"""bitcoind's error number for a wallet that is there already."""
_KEPT_BLOCKS = 4_096
_SATOSHI = 100_000_000
_NOT_YET = ("not connected", "connection failed", "disconnected", "not in normal state", "took too long")
"""What refusals say when waiting helps."""


class Notes(BaseModel):
    """How the bitcoind is reached that keeps a node's wallet and knows the blocks its graph speaks of."""

    bitcoind_host: str
    bitcoind_port: int


def wallet_name(node: str) -> str:
    """Return what bitcoind calls the wallet of a node."""
    return f"eclair-{node}"


def make_wallets(rpc: BitcoindRpc, nodes: Sequence[str]) -> None:
    """Make the wallets of nodes that have none, and load them; bitcoind loads them by itself when it starts again.

    Raises: what `BitcoindRpc.call` raises.
    """
    if not nodes:
        return
    loaded = set(rpc.call("listwallets"))
    for name in map(wallet_name, nodes):
        if name in loaded:
            continue
        try:
            rpc.call("createwallet", name, False, False, "", False, True, True)  # noqa: FBT003
        except bitcoind.RefusedError as error:
            if error.number != _EXISTS:
                raise
            rpc.call("loadwallet", name, True)  # noqa: FBT003


class EclairCalls:
    """The base of `eclair.Eclair`.

    Args:
        http: how to reach it.
        rpc: how to reach the bitcoind that keeps its wallet.
    """

    def __init__(self, http: EclairHttp, rpc: BitcoindRpc) -> None:
        self._http, self._rpc = http, rpc
        self._wallet = wallet_name(http.name)
        self._transactions = lru_cache(_KEPT_BLOCKS)(rpc.block_transactions)
        self._inputs = lru_cache(_KEPT_BLOCKS)(self._spent)
        self._funding = threading.Lock()

    @property
    def name(self) -> str:
        """Return the node's name in the network."""
        return self._http.name

    def coins(self) -> tuple[WalletCoin, ...]:
        """Return the coins of its wallet that nothing has a claim on."""
        return tuple(
            WalletCoin(f"{one.txid}:{one.vout}", round(one.amount * _SATOSHI), one.confirmations)
            for one in wire.UNSPENT.validate_python(self._rpc.call("listunspent", 0, wallet=self._wallet))
        )

    def _ask(self, command: str, **fields: object) -> object:
        try:
            return self._http.ask(command, **fields)
        except RefusedError as error:
            raise self._translated(error) from error

    def _channels(self) -> list[wire.Channel]:
        return wire.CHANNELS.validate_python(self._ask("channels"))

    def _said(self, command: str, answer: object) -> str:
        """Return what eclair said in words; it says failures so too, with a status that means success.

        Raises:
            NotYetError: `eclair-not-yet`.
        """
        said = str(answer)
        if any(sign in said.lower() for sign in _NOT_YET):
            raise self._translated(RefusedError(f"`{self.name}` refused `{command}`: {said}", code="eclair-refused"))
        return said

    def _refused(self, command: str, why: str) -> RefusedError | NotYetError:
        return self._translated(RefusedError(f"`{self.name}` refused `{command}`: {why}", code="eclair-refused"))

    def _translated(self, error: RefusedError) -> RefusedError | NotYetError:
        if any(sign in error.brief.lower() for sign in _NOT_YET):
            return NotYetError(error.brief, code="eclair-not-yet", resolution="wait a moment and try again")
        return error

    def _patience(self, seconds: float) -> Patience:
        return Patience.of(SystemClock(), seconds)

    def _is_known(self, txid: str) -> bool:
        """Tell whether a transaction is in the mempool or in a block of late."""
        try:
            self._rpc.call("getmempoolentry", txid)
        except bitcoind.RefusedError:
            return False
        return True

    @contextmanager
    def _only(self, coin: str) -> Iterator[None]:
        """Let nothing but this coin be spent meanwhile; "" leaves the choice to the wallet."""
        with self._funding:
            others = [_outpoint(one.outpoint) for one in self.coins() if one.outpoint != coin] if coin else []
            if others:
                self._rpc.call("lockunspent", False, others, wallet=self._wallet)  # noqa: FBT003
            try:
                yield
            finally:
                if others:
                    self._rpc.call("lockunspent", True, others, wallet=self._wallet)  # noqa: FBT003

    def _remember(self, place: str, memo: str) -> None:
        """Keep the name of the channel that a coin pays for, or that has this funding output."""
        label = f"{_LABEL} {place} {memo}"
        self._rpc.call("getnewaddress", label, "bech32", wallet=self._wallet)

    def _memos(self, points: Sequence[str]) -> dict[str, str]:
        """Return the names of channels this node opened, by funding output."""
        labels = [str(one).split(" ", 3) for one in self._rpc.call("listlabels", wallet=self._wallet)]
        names = {label[2]: label[3] for label in labels if len(label) == 4 and " ".join(label[:2]) == _LABEL}
        found = {}
        for point in points if names else ():
            places = (point, *self._inputs(point.partition(":")[0]))
            memo = next((names[place] for place in places if place in names), "")
            if memo:
                found[point] = memo
        return found

    def _spent(self, txid: str) -> tuple[str, ...]:
        known = self._rpc.call("gettransaction", txid, True, True, wallet=self._wallet)  # noqa: FBT003
        return tuple(f"{one['txid']}:{one['vout']}" for one in known["decoded"]["vin"])


def _outpoint(text: str) -> dict[str, object]:
    txid, _, output = text.partition(":")
    return {"txid": txid, "vout": int(output)}
