"""A regtest chain in memory: every address has what was paid to it, blocks cost nothing.

`FakeChain` passes the same conformance suite as `Bitcoind`. Addresses are any text. What `FakeNode`s broadcast
waits in its mempool for the next block.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Sequence

from cartridge.lightning.chains.bitcoind import MATURITY, Block, Coin, Output
from cartridge.lightning.chains.blocks import hash_of
from cartridge.lightning.chains.undoing import Undone


def digest(*parts: object) -> str:
    """Return 64 hex digits that depend on the parts alone."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _raw(height: int, undone: int) -> bytes:
    """Return something as long as a block's header that no other block has."""
    return f"block {height} after {undone} reorganisations".encode().ljust(80)


class FakeChain:
    """Starts at height 0. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._blocks = [Block(0, hash_of(_raw(0, 0)), 1_296_688_602)]
        self._raw = [_raw(0, 0)]
        self._heights: dict[str, int] = {}
        self._waiting: list[str] = []
        self._coins: dict[str, Coin] = {}
        self._undone = 0
        self._outputs: dict[str, tuple[Output, ...]] = {}

    def tip(self) -> Block:
        """Return the newest block."""
        return self._blocks[-1]

    def block(self, height: int) -> Block:
        """Return the block at `height`."""
        return self._blocks[height]

    def raw(self, height: int) -> str:
        """Return what the block's hash is made of."""
        return self._raw[height].hex()

    def premine(self, rewards: int) -> Block:
        """Mine to maturity on a new chain."""
        self.mine(max(0, rewards + MATURITY - self.tip().height))
        return self.tip()

    def mine(self, blocks: int = 1) -> tuple[str, ...]:
        """Confirm everything that waits."""
        with self._lock:
            made = []
            for _ in range(blocks):
                height = len(self._blocks)
                for txid in self._waiting:
                    self._confirm(txid, height)
                self._waiting.clear()
                self._raw.append(_raw(height, self._undone))
                self._blocks.append(Block(height, hash_of(self._raw[height]), self._blocks[0].time + height))
                made.append(self._blocks[-1].hash)
            return tuple(made)

    def confirm(self, txids: Sequence[str]) -> str:
        """Confirm these in their order, in a block that holds nothing else; KeyError where one does not wait."""
        with self._lock:
            if missing := set(txids) - set(self._waiting):
                raise KeyError(*missing)
            others = [txid for txid in self._waiting if txid not in txids]
            self._waiting = list(txids)
            (made,) = self.mine()
            self._waiting = others
            return made

    def undo(self, blocks: int) -> Undone:
        """Take blocks away; what was in them waits, and its coins are gone until it is confirmed again."""
        with self._lock:
            height, self._undone = len(self._blocks) - blocks, self._undone + 1
            gone, self._blocks = self._blocks[height:], self._blocks[:height]
            del self._raw[height:]
            back = tuple(txid for txid, at in self._heights.items() if at >= height)
            for txid in back:
                del self._heights[txid]
                self._coins = {point: coin for point, coin in self._coins.items() if not point.startswith(txid)}
            self._waiting = [*back, *self._waiting]
            return Undone(tuple(block.hash for block in gone), back)

    def pay(self, outputs: Sequence[Output]) -> str:
        """Confirm a payment in a block that holds nothing else."""
        with self._lock:
            txid = digest("pay", len(self._blocks), tuple(outputs))
            self._outputs[txid] = tuple(outputs)
            waiting, self._waiting = self._waiting, [txid]
            self.mine()
            self._waiting = waiting
            return txid

    def unspent(self, addresses: Iterable[str]) -> tuple[Coin, ...]:
        """Return the coins of these addresses."""
        wanted = set(addresses)
        with self._lock:
            return tuple(coin for coin in self._coins.values() if coin.address in wanted)

    def mempool(self) -> frozenset[str]:
        """Return what waits for a block."""
        with self._lock:
            return frozenset(self._waiting)

    def broadcast(self, txid: str, outputs: Sequence[Output]) -> str:
        """Have a transaction wait whose outputs are coins once it is confirmed, and return its id."""
        with self._lock:
            self._outputs[txid] = tuple(outputs)
            self._waiting.append(txid)
            return txid

    def spend(self, outpoint: str) -> str:
        """Broadcast a transaction that spends a coin, and return its id; KeyError where it is spent."""
        with self._lock:
            del self._coins[outpoint]
            txid = digest("spend", outpoint)
            self._waiting.append(txid)
            return txid

    def confirmations(self, txid: str) -> int:
        """Return how often a transaction is confirmed; 0 while it waits."""
        with self._lock:
            height = self._heights.get(txid)
            return 0 if height is None else len(self._blocks) - height

    def _confirm(self, txid: str, height: int) -> None:
        self._heights[txid] = height
        for index, output in enumerate(self._outputs.get(txid, ())):
            outpoint = f"{txid}:{index}"
            self._coins[outpoint] = Coin(output.address, output.amount, outpoint, height)
