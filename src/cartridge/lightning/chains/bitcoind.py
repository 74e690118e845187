"""A regtest chain: blocks on demand and coins for everybody. `Bitcoind` is the real one.

Amounts are satoshis. Money is created here (mining) and never taken from a node. `pay` confirms in one block or
not at all, so a killed caller can only repeat it, never leave half of it.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Protocol

from msgspec import Struct, convert

from cartridge.errors import ApplyError
from cartridge.lightning.chains.undoing import Undone, undo
from cartridge.probes.bitcoind import BitcoindRpc

SATOSHI = 100_000_000
"""Satoshis in a bitcoin."""
MATURITY = 100
"""Blocks after which a block's reward can be spent."""
_BURN = "raw(51)#8lvh9jxk"
"""Where rewards nobody needs go: a script anybody can spend."""
_FEE_RATE = 10
"""Satoshis per virtual byte of a payment; the chain is ours, so any will do."""
_WALLET = "miner"


class Block(Struct, frozen=True):
    """A block: its height, hash and time (seconds since 1970)."""

    height: int
    hash: str
    time: int


class Output(Struct, frozen=True):
    """Satoshis for an address."""

    address: str
    amount: int


class Coin(Struct, frozen=True):
    """An unspent output: where it is, what it holds and the block that holds it."""

    address: str
    amount: int
    outpoint: str
    height: int


class Chain(Protocol):
    """A regtest chain. All implementations pass tests/conformance/test_chain.py.

    Every method raises UnknownVerdictError (such as `bitcoind-unreachable`) and ApplyError (`bitcoind-refused`).
    """

    def tip(self) -> Block:
        """Return the newest block."""

    def block(self, height: int) -> Block:
        """Return the block at `height`."""

    def raw(self, height: int) -> str:
        """Return the block at `height` with all that is in it, as the network's own format has it, in hex."""

    def premine(self, rewards: int) -> Block:
        """Make at least `rewards` block rewards spendable on a new chain and return the tip; else change nothing."""

    def mine(self, blocks: int = 1) -> tuple[str, ...]:
        """Mine blocks with everything in the mempool and return their hashes, oldest first."""

    def confirm(self, txids: Sequence[str]) -> str:
        """Mine one block with these transactions, which wait in the mempool, in this order; return its hash.

        So a channel's place in the block, and with it its short id, is the same every time.
        """

    def pay(self, outputs: Sequence[Output]) -> str:
        """Pay every output in one transaction, confirmed at once in a block of its own; return its id.

        Args:
            outputs: each to another address.

        Raises:
            ApplyError: `coins-exhausted`, the chain can create no more.
        """

    def undo(self, blocks: int) -> Undone:
        """Take `blocks` blocks from the tip, and put what was in them into the mempool; nodes see it with the next."""

    def unspent(self, addresses: Iterable[str]) -> tuple[Coin, ...]:
        """Return the confirmed coins of these addresses, in no certain order."""

    def mempool(self) -> frozenset[str]:
        """Return the ids of the transactions that wait for a block."""


class _Unspent(Struct, frozen=True):
    txid: str
    vout: int
    amount: Decimal
    desc: str
    height: int


class _Scan(Struct, frozen=True):
    unspents: list[_Unspent]


class _Sent(Struct, frozen=True):
    hex: str
    txid: str


class _Generated(Struct, frozen=True):
    hash: str


class _Mine(Struct, frozen=True):
    trusted: Decimal


class _Balances(Struct, frozen=True):
    mine: _Mine


class _Wallet(Struct, frozen=True):
    name: str


class _Folder(Struct, frozen=True):
    wallets: list[_Wallet]


class Bitcoind:
    """A chain made by a real bitcoind, with a wallet `miner` that holds the money.

    Args:
        rpc: how to reach it.
    """

    def __init__(self, rpc: BitcoindRpc) -> None:
        self._rpc, self._lock = rpc, threading.Lock()
        self._wallet = self._reward_address = ""

    def tip(self) -> Block:
        """Return the newest block."""
        return self._header(self._rpc.call("getbestblockhash"))

    def block(self, height: int) -> Block:
        """Return the block at `height`."""
        return self._header(self._rpc.call("getblockhash", height))

    def raw(self, height: int) -> str:
        """Return the block at `height` as the network has it, in hex."""
        return str(self._rpc.call("getblock", self._rpc.call("getblockhash", height), 0))

    def premine(self, rewards: int) -> Block:
        """Make `rewards` block rewards spendable on a new chain and return the tip; else change nothing."""
        height = int(self._rpc.call("getblockcount"))
        if height < rewards:
            self._rpc.call("generatetoaddress", rewards - height, self._address())
        if height < rewards + MATURITY:
            # to nobody: every reward of the wallet costs it a write to its database
            self._rpc.call("generatetodescriptor", rewards + MATURITY - max(height, rewards), _BURN)
        self._keep()
        return self.tip()

    def mine(self, blocks: int = 1) -> tuple[str, ...]:
        """Mine blocks with everything in the mempool and return their hashes, oldest first."""
        hashes = convert(self._rpc.call("generatetoaddress", blocks, self._address()), tuple[str, ...])
        self._keep()
        return hashes

    def confirm(self, txids: Sequence[str]) -> str:
        """Mine one block with these transactions in this order and return its hash."""
        made = convert(self._rpc.call("generateblock", self._address(), list(txids)), _Generated)
        self._keep()
        return made.hash

    def pay(self, outputs: Sequence[Output]) -> str:
        """Pay every output in one transaction, confirmed at once in a block of its own; return its id."""
        self._afford(sum(output.amount for output in outputs))
        wanted = [{output.address: _bitcoin(output.amount)} for output in outputs]
        sent = convert(
            self._rpc.call("send", wanted, None, "unset", _FEE_RATE, {"add_to_wallet": False}, wallet=self._wallet),
            _Sent,
        )
        self._rpc.call("generateblock", self._address(), [sent.hex])
        self._keep()
        return sent.txid

    def undo(self, blocks: int) -> Undone:
        """Take `blocks` blocks from the tip, and put what was in them into the mempool; nodes see it with the next."""
        return undo(self._rpc, blocks)

    def unspent(self, addresses: Iterable[str]) -> tuple[Coin, ...]:
        """Return the confirmed coins of these addresses, in no certain order."""
        descriptors = [f"addr({address})" for address in addresses]
        if not descriptors:
            return ()
        scan = convert(self._rpc.call("scantxoutset", "start", descriptors), _Scan)
        return tuple(
            Coin(
                address=coin.desc.partition("(")[2].partition(")")[0],
                amount=int(coin.amount * SATOSHI),
                outpoint=f"{coin.txid}:{coin.vout}",
                height=coin.height,
            )
            for coin in scan.unspents
        )

    def mempool(self) -> frozenset[str]:
        """Return the ids of the transactions that wait for a block."""
        return convert(self._rpc.call("getrawmempool"), frozenset[str])

    def rest(self) -> int:
        """Have all that is known written to disk, so that its files can be copied; return the height.

        Unconfirmed transactions as well, which bitcoind else writes when it is ended.
        """
        self._rpc.call("savemempool")
        self._keep()
        return int(self._rpc.call("getblockcount"))

    def _keep(self) -> None:
        """Have every block written to disk, which bitcoind else does once an hour.

        A kill would take the newest blocks back, and with them what lnd built on: its wallet cannot go back behind
        the block it was written at, and a channel cannot move to another one. This question flushes first
        (Bitcoin Core, src/rpc/blockchain.cpp, gettxoutsetinfo) and costs a few milliseconds on a chain like ours.
        """
        self._rpc.call("gettxoutsetinfo", "none")

    def _header(self, block: str) -> Block:
        return convert(self._rpc.call("getblockheader", block), Block)

    def _afford(self, amount: int) -> None:
        """Mine until the wallet can spend `amount` and a fee."""
        address = self._address()
        for _ in range(20):
            balances = convert(self._rpc.call("getbalances", wallet=self._wallet), _Balances)
            if balances.mine.trusted * SATOSHI > amount + SATOSHI // 10:
                return
            self._rpc.call("generatetoaddress", 10, address)
            self._rpc.call("generatetodescriptor", MATURITY, _BURN)
        raise ApplyError(
            f"this regtest chain cannot create another {_bitcoin(amount)} BTC: its rewards have halved away",
            code="coins-exhausted",
            resolution="ask for smaller balances and channels, or start over with `cartridge down` and `cartridge up`",
        )

    def _address(self) -> str:
        """Return the address rewards go to; the wallet is made when it is first needed."""
        with self._lock:
            if not self._reward_address:
                self._wallet = self._open_wallet()
                self._reward_address = str(self._rpc.call("getnewaddress", "reward", "bech32", wallet=self._wallet))
            return self._reward_address

    def _open_wallet(self) -> str:
        """Return the name of the wallet, which bitcoind has loaded, or make one.

        bitcoind notes a wallet among those it loads when it starts after it has made it whole (Bitcoin Core,
        src/wallet/wallet.cpp, CreateWallet). One that lies there unloaded was cut off by a kill: it never held a
        coin, and asked to load it bitcoind may abort. It is left where it is, and another name taken.
        """
        for loaded in convert(self._rpc.call("listwallets"), tuple[str, ...]):
            if loaded.partition("-")[0] == _WALLET:
                return loaded
        lying = {one.name for one in convert(self._rpc.call("listwalletdir"), _Folder).wallets}
        names = itertools.chain((_WALLET,), (f"{_WALLET}-{number}" for number in itertools.count(2)))
        name = next(name for name in names if name not in lying)
        self._rpc.call("createwallet", name, False, False, "", False, True, True)  # noqa: FBT003
        return name


def _bitcoin(satoshis: int) -> str:
    return f"{Decimal(satoshis) / SATOSHI:.8f}"
