"""Transactions and regtest blocks as bytes, for a chain whose daemon has no wallet. Pure; nothing here is secret.

Money goes to a script anybody can spend (`OPEN_ADDRESS`), so no transaction needs a signature, only that script as
its witness. Regtest only: the difficulty is the least there is, and the coins are worth nothing by design.
Sources: BIPs 34, 141 and 173; Bitcoin Core, src/kernel/chainparams.cpp, CRegTestParams.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec import Struct

OPEN_ADDRESS = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"
"""The address of the witness script `OP_TRUE`; whoever shows that script may spend what is there."""
HALVING = 150
"""Blocks after which the reward of a regtest chain is halved."""
_REWARD = 5_000_000_000
_TRUE = b"\x51"
_BITS = 0x207FFFFF
_TARGET = 0x7FFFFF << 8 * (0x20 - 3)
_CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_CHECKSUM = 6
"""Characters at the end of a bech32 address."""
_NOTHING = bytes(32)


class Transaction(Struct, frozen=True):
    """A whole transaction: its id (hex, as people write it), its bytes, and their hash with the witnesses."""

    txid: str
    raw: bytes
    witness_hash: bytes


def script_of(address: str) -> bytes:
    """Return the script that pays a bech32 or bech32m address, whose checksum somebody else has checked."""
    version, *groups = (_CHARACTERS.index(letter) for letter in address.rpartition("1")[2][:-_CHECKSUM])
    bits = "".join(f"{group:05b}" for group in groups)
    program = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8))
    return bytes([0x50 + version if version else 0, len(program)]) + program


def spend(coins: Sequence[str], outputs: Sequence[tuple[bytes, int]]) -> Transaction:
    """Return the transaction that spends coins of `OPEN_ADDRESS` (`txid:index`) on scripts and satoshis."""
    inputs = [(*_outpoint(coin), b"") for coin in coins]
    return _transaction(inputs, outputs, [_TRUE] * len(coins))


def known(txid: str, raw: bytes) -> Transaction:
    """Return a transaction somebody else made."""
    return Transaction(txid, raw, _twice(raw))


def block(previous: str, height: int, time: int, transactions: Sequence[Transaction]) -> bytes:
    """Return a valid block; its reward goes to `OPEN_ADDRESS`.

    Args:
        previous: hash of the block before it.
        height: its own, 17 or more.
        time: seconds since 1970, later than half of the eleven blocks before it.
        transactions: what it confirms, in this order; their fees are given up.
    """
    first = _coinbase(height, transactions)
    root = _root([_hash_of(one) for one in (first, *transactions)])
    start = _number(0x20000000) + bytes.fromhex(previous)[::-1] + root + _number(time) + _number(_BITS)
    nonce = next(
        nonce for nonce in range(1 << 32) if int.from_bytes(_twice(start + _number(nonce)), "little") <= _TARGET
    )
    return start + _number(nonce) + _count(1 + len(transactions)) + b"".join(one.raw for one in (first, *transactions))


def hash_of(block: bytes) -> str:
    """Return a block's hash in hex, as people write it."""
    return _twice(block[:80])[::-1].hex()


def _coinbase(height: int, transactions: Sequence[Transaction]) -> Transaction:
    commitment = _twice(_root([_NOTHING, *(one.witness_hash for one in transactions)]) + _NOTHING)
    pushed = height.to_bytes((height.bit_length() + 8) // 8, "little")  # one more bit: it must not look negative
    outputs = [(script_of(OPEN_ADDRESS), _REWARD >> height // HALVING), (b"\x6a\x24\xaa\x21\xa9\xed" + commitment, 0)]
    return _transaction([(_NOTHING, 0xFFFFFFFF, _sized(pushed))], outputs, [_NOTHING])


def _transaction(
    inputs: Sequence[tuple[bytes, int, bytes]], outputs: Sequence[tuple[bytes, int]], witnesses: Sequence[bytes]
) -> Transaction:
    version, lock_time = _number(2), _number(0)
    body = _count(len(inputs))
    body += b"".join(txid + _number(index) + _sized(script) + b"\xff" * 4 for txid, index, script in inputs)
    body += _count(len(outputs)) + b"".join(amount.to_bytes(8, "little") + _sized(script) for script, amount in outputs)
    proofs = b"".join(_count(1) + _sized(witness) for witness in witnesses)
    raw = version + b"\x00\x01" + body + proofs + lock_time
    return Transaction(_twice(version + body + lock_time)[::-1].hex(), raw, _twice(raw))


def _root(hashes: Sequence[bytes]) -> bytes:
    """Return the root of a Merkle tree; of an odd row the last one counts twice."""
    if len(hashes) == 1:
        return hashes[0]
    even = [*hashes, *hashes[-1:]] if len(hashes) % 2 else hashes
    return _root([_twice(left + right) for left, right in zip(even[::2], even[1::2], strict=True)])


def _outpoint(coin: str) -> tuple[bytes, int]:
    txid, _, index = coin.partition(":")
    return bytes.fromhex(txid)[::-1], int(index)


def _hash_of(transaction: Transaction) -> bytes:
    return bytes.fromhex(transaction.txid)[::-1]


def _twice(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def _number(value: int) -> bytes:
    return value.to_bytes(4, "little")


def _count(value: int) -> bytes:
    return bytes([value]) if value < 0xFD else b"\xfd" + value.to_bytes(2, "little")


def _sized(data: bytes) -> bytes:
    return _count(len(data)) + data
