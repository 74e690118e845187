"""A regtest chain made by a real btcd, which has no wallet: every reward goes to a script anybody can spend.

`pay` and `confirm` make their block here and hand it over whole, so what is paid is confirmed or was never there.
Needs btcd's index of addresses, and `blocks.OPEN_ADDRESS` as its mining address.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from msgspec import Struct, convert

from cartridge.errors import ApplyError
from cartridge.lightning.chains import blocks
from cartridge.lightning.chains.bitcoind import MATURITY, SATOSHI, Block, Coin, Output
from cartridge.lightning.chains.ledger import Ledger
from cartridge.lightning.chains.undoing import Undone, undo
from cartridge.probes.bitcoind import RefusedError
from cartridge.probes.btcd import BtcdRpc

_PAGE = 100
_AT_ONCE = 8
"""Questions asked at the same time where there are many."""
_NEVER_USED = -5
"""btcd's error number for an address without transactions."""


class _Script(Struct, frozen=True):
    addresses: list[str] | None = None


class _Output(Struct, frozen=True):
    n: int
    value: Decimal
    scriptPubKey: _Script  # noqa: N815 - btcd's spelling


class _Input(Struct, frozen=True):
    coinbase: str | None = None


class _Transaction(Struct, frozen=True):
    txid: str
    vin: list[_Input]
    vout: list[_Output]
    confirmations: int = 0

    @property
    def is_spendable(self) -> bool:
        """Whether the next block may spend its outputs."""
        return self.confirmations >= (MATURITY if self.vin[0].coinbase is not None else 1)


class _Validity(Struct, frozen=True):
    isvalid: bool


class Btcd:
    """A chain made by a real btcd. `Chain` says what each method does; errors are `btcd-unreachable`, `btcd-refused`.

    Args:
        rpc: how to reach it.
        ledger: where its blocks are written down.
    """

    def __init__(self, rpc: BtcdRpc, ledger: Ledger) -> None:
        self._rpc, self._ledger = rpc, ledger
        self._lock, self._keeping = threading.Lock(), threading.Lock()

    def recall(self) -> None:
        """Give btcd the blocks back that it has forgotten, if it was killed."""
        for block in self._ledger.after(int(self._rpc.call("getblockcount"))):
            self._submit(block)

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
        """Make at least `rewards` block rewards spendable on a new chain and return the tip; else change nothing."""
        missing = rewards + MATURITY - int(self._rpc.call("getblockcount"))
        if missing > 0:
            self.mine(missing)
        return self.tip()

    def mine(self, blocks: int = 1) -> tuple[str, ...]:
        """Mine blocks with everything in the mempool and return their hashes, oldest first."""
        hashes = convert(self._rpc.call("generate", blocks), tuple[str, ...])
        self._keep()
        return hashes

    def pay(self, outputs: Sequence[Output]) -> str:
        """Pay every output in one transaction, confirmed at once in a block of its own; return its id."""
        wanted = [(self._script(output.address), output.amount) for output in outputs]
        total = sum(amount for _, amount in wanted)
        with self._lock:
            coins = self._afford(total)
            change = sum(coin.amount for coin in coins) - total
            back = [(blocks.script_of(blocks.OPEN_ADDRESS), change)] if change else []
            paid = blocks.spend([coin.outpoint for coin in coins], [*wanted, *back])
            self._add([paid])
        return paid.txid

    def confirm(self, txids: Sequence[str]) -> str:
        """Mine one block with these transactions, which wait in the mempool, in this order; return its hash."""
        waiting = [blocks.known(txid, bytes.fromhex(self._rpc.call("getrawtransaction", txid))) for txid in txids]
        with self._lock:
            return self._add(waiting)

    def undo(self, blocks: int) -> Undone:
        """Take `blocks` blocks from the tip, and put what was in them into the mempool; nodes see it with the next."""
        undone = undo(self._rpc, blocks)
        self._keep()
        return undone

    def unspent(self, addresses: Iterable[str]) -> tuple[Coin, ...]:
        """Return the confirmed coins of these addresses, in no certain order."""
        height = int(self._rpc.call("getblockcount"))
        return tuple(
            coin
            for address in addresses
            for transaction in self._history(address)
            if transaction.confirmations
            for coin in self._coins(transaction, address, height)
        )

    def mempool(self) -> frozenset[str]:
        """Return the ids of the transactions that wait for a block."""
        return convert(self._rpc.call("getrawmempool"), frozenset[str])

    def _add(self, transactions: Sequence[blocks.Transaction]) -> str:
        """Put a block of ours on the tip and return its hash."""
        tip = self.tip()
        made = blocks.block(tip.hash, tip.height + 1, tip.time + 1, transactions)
        self._submit(made.hex())
        self._keep()
        return blocks.hash_of(made)

    def _submit(self, block: str) -> None:
        refusal = self._rpc.call("submitblock", block)
        if refusal is not None:
            raise RefusedError(f"btcd refused a block of ours: {refusal}", code="btcd-refused")

    def _keep(self) -> None:
        """Write down what is new on the chain."""
        with self._keeping, ThreadPoolExecutor(_AT_ONCE) as pool:
            tip = int(self._rpc.call("getblockcount"))

            def hash_at(height: int) -> str | None:
                return str(self._rpc.call("getblockhash", height)) if height <= tip else None

            self._ledger.follow(hash_at, lambda heights: list(pool.map(self.raw, heights)), tip)

    def _afford(self, amount: int) -> list[Coin]:
        """Return coins of ours that hold `amount`, the newest first; more is mined where they do not."""
        for _ in range(20):
            found = self._enough(amount)
            if found:
                return found
            self.mine(10 + MATURITY)
        raise ApplyError(
            f"this regtest chain cannot create another {amount:_} sat: its rewards have halved away",
            code="coins-exhausted",
            resolution="ask for smaller balances and channels, or start over with `cartridge down` and `cartridge up`",
        )

    def _enough(self, amount: int) -> list[Coin]:
        height, found, held = int(self._rpc.call("getblockcount")), list[Coin](), 0
        for transaction in self._history(blocks.OPEN_ADDRESS):
            if transaction.is_spendable:
                coins = self._coins(transaction, blocks.OPEN_ADDRESS, height)
                found += coins
                held += sum(coin.amount for coin in coins)
                if held >= amount:
                    return found
        return []

    def _history(self, address: str) -> Iterator[_Transaction]:
        """Yield every transaction that concerns an address, the newest first."""
        skipped = 0
        while page := self._page(address, skipped):
            yield from page
            if len(page) < _PAGE:
                return
            skipped += len(page)

    def _page(self, address: str, skipped: int) -> tuple[_Transaction, ...]:
        try:
            found = self._rpc.call("searchrawtransactions", address, 1, skipped, _PAGE, 0, True)  # noqa: FBT003
        except RefusedError as error:
            if error.number != _NEVER_USED:
                raise
            return ()
        return convert(found, tuple[_Transaction, ...])

    def _coins(self, transaction: _Transaction, address: str, height: int) -> list[Coin]:
        """Return what is unspent of a confirmed transaction's outputs to an address."""
        return [
            Coin(
                address,
                int(output.value * SATOSHI),
                f"{transaction.txid}:{output.n}",
                height - transaction.confirmations + 1,
            )
            for output in transaction.vout
            if address in (output.scriptPubKey.addresses or ())
            and self._rpc.call("gettxout", transaction.txid, output.n, False) is not None  # noqa: FBT003
        ]

    def _script(self, address: str) -> bytes:
        if not convert(self._rpc.call("validateaddress", address), _Validity).isvalid:
            raise RefusedError(f"`{address}` is no address of a regtest chain", code="btcd-refused")
        return blocks.script_of(address)

    def _header(self, block: str) -> Block:
        return convert(self._rpc.call("getblockheader", block), Block)
