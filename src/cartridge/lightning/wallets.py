"""Wallets of new nodes, written before lnd's first start by the program `regtest-wallet`.

Identities and addresses are known at once; the files only when it is known up to which block the wallet may believe
that nothing of the chain concerns it. Regtest only: the wallets are protected by nothing. What is secret (macaroon
root keys) is made here, goes through a pipe, and stands in no argument, log or error.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from msgspec import Struct, json

from cartridge import spawn
from cartridge.lightning.chains.bitcoind import Block
from cartridge.lightning.identities import wallet_seed

LOOPBACK = "127.0.0.1"
IDENTITY_FILE = "identity.pubkey"
"""Ours beside lnd's files: the identity the node must have, for later runs to compare."""


class NewNode(Struct, frozen=True):
    """A node whose wallet is to be written.

    Attributes:
        name: in the network.
        addresses: how many to make that can be paid before its first start.
        hosts: names its TLS certificate must hold beside `localhost` and 127.0.0.1.
    """

    name: str
    addresses: int
    hosts: tuple[str, ...] = ()


class Written(Struct, frozen=True):
    """A wallet that is made but not sealed: the node's identity, and its addresses."""

    pubkey: str
    addresses: tuple[str, ...]


class Maker(Protocol):
    """What makes wallets of one implementation; a context manager around both steps."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, whatever came of it."""

    def write(self) -> dict[str, Written]:
        """Return what is public of each wallet, by node."""

    def seal(self, known: Block, since: Sequence[str]) -> dict[str, Mapping[str, bytes]]:
        """Return the files of each node: path in its data folder to content.

        Args:
            known: a block up to which nothing concerns these wallets.
            since: those that follow it, as `Chain.raw` has them.
        """


class _Opened(Struct, frozen=True):
    name: str
    pubkey: str
    addresses: list[str] | None


class _OpenedAll(Struct, frozen=True):
    nodes: list[_Opened]


class _Sealed(Struct, frozen=True):
    name: str
    files: dict[str, str]


class _SealedAll(Struct, frozen=True):
    nodes: list[_Sealed]


class _Request(Struct, frozen=True):
    name: str
    seed: str
    macaroon_root_key: str
    addresses: int
    hosts: list[str]
    ips: list[str]


class _RequestAll(Struct, frozen=True):
    nodes: list[_Request]


class _Closing(Struct, frozen=True):
    synced_to: Block
    blocks: Sequence[str]


class Wallets:
    """The wallets of some nodes of a stack, in the making; a context manager.

    Args:
        program: path of `regtest-wallet`.
        stack: the stack's name; with a node's name it decides its keys.
        nodes: at least one.

    Raises:
        MissingError: `program-missing`.
    """

    def __init__(self, program: Path, stack: str, nodes: Sequence[NewNode]) -> None:
        self._stack, self._nodes = stack, nodes
        self._dialogue = spawn.Dialogue([str(program)])

    def __enter__(self) -> Self:
        self._dialogue.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._dialogue.__exit__(kind, error, trace)

    def write(self) -> dict[str, Written]:
        """Write the wallets and return what is public of them, by node.

        Raises:
            ApplyError: `program-failed`.
        """
        wanted = _RequestAll(
            nodes=[
                _Request(
                    name=node.name,
                    seed=wallet_seed(self._stack, node.name).hex(),
                    macaroon_root_key=secrets.token_hex(32),
                    addresses=node.addresses,
                    hosts=[node.name, *node.hosts],
                    ips=[LOOPBACK],
                )
                for node in self._nodes
            ]
        )
        answer = json.decode(self._dialogue.ask(json.encode(wanted)), type=_OpenedAll)
        self._pubkeys = {node.name: node.pubkey for node in answer.nodes}
        return {node.name: Written(node.pubkey, tuple(node.addresses or ())) for node in answer.nodes}

    def seal(self, known: Block, since: Sequence[str]) -> dict[str, Mapping[str, bytes]]:
        """Close the wallets and return the files of each node: path in its data folder to content.

        Args:
            known: a block up to which nothing concerns these wallets.
            since: those that follow it; lnd looks at the chain from there on.

        Raises:
            ApplyError: `program-failed`.
        """
        answer = json.decode(self._dialogue.ask(json.encode(_Closing(known, since))), type=_SealedAll)
        return {
            node.name: {
                **{path: base64.b64decode(content) for path, content in node.files.items()},
                IDENTITY_FILE: self._pubkeys[node.name].encode(),
            }
            for node in answer.nodes
        }
