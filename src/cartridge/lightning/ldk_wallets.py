"""Keys of new LDK nodes: what of them is public is known before any of them ran, from `ldk-regtest derive`.

The daemon makes its wallet itself, at its first start, from the seed that lies in its data folder. Regtest only: the
seed follows from names. The token of its commands is made here and stands in no argument, log or error.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct, json

from cartridge import spawn
from cartridge.lightning.chains.bitcoind import Block
from cartridge.lightning.identities import wallet_seed
from cartridge.lightning.wallets import IDENTITY_FILE, NewNode, Written
from cartridge.probes.ldk import TOKEN

KEYS_FILE = "keys.json"
"""Where the daemon finds its seed, relative to its data folder."""


class _Asked(Struct, frozen=True):
    name: str
    seed: str
    addresses: int


class _Derived(Struct, frozen=True):
    name: str
    pubkey: str
    addresses: tuple[str, ...]


class _Birthday(Struct, frozen=True):
    height: int
    hash: str


class _Keys(Struct, frozen=True):
    seed: str
    addresses: int
    birthday: _Birthday


class LdkWallets:
    """The wallets of some LDK nodes of a stack; a `wallets.Maker`.

    Args:
        program: path of `ldk-regtest`.
        stack: the stack's name; with a node's name it decides its keys.
        nodes: at least one.
    """

    def __init__(self, program: Path, stack: str, nodes: Sequence[NewNode]) -> None:
        self._program = program
        self._asked = [
            _Asked(name=node.name, seed=wallet_seed(stack, node.name).hex(), addresses=node.addresses) for node in nodes
        ]
        self._pubkeys: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing: no program stays."""

    def write(self) -> dict[str, Written]:
        """Return the identity and the addresses of each node.

        Raises:
            ApplyError: `program-failed`.
            MissingError: `program-missing`.
        """
        said = spawn.run([str(self._program), "derive"], stdin=json.encode(self._asked).decode(), check=True)
        derived = json.decode(said.stdout, type=list[_Derived])
        self._pubkeys = {one.name: one.pubkey for one in derived}
        return {one.name: Written(one.pubkey, one.addresses) for one in derived}

    def seal(self, known: Block, since: Sequence[str]) -> dict[str, Mapping[str, bytes]]:
        """Return the files of each node: path in its data folder to content. It looks at what follows `known`."""
        birthday = _Birthday(height=known.height, hash=known.hash)
        return {
            one.name: {
                KEYS_FILE: json.encode(_Keys(seed=one.seed, addresses=one.addresses, birthday=birthday)),
                TOKEN: secrets.token_urlsafe(32).encode(),
                IDENTITY_FILE: self._pubkeys[one.name].encode(),
            }
            for one in self._asked
        }
