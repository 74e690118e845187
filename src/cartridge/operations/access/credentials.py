"""What a client of a node needs, kept beside the stack's state whatever the target: files of mode 0600.

`<stack folder>/credentials/<node>/` holds the node's identity and what commands it (certificate and admin macaroon of
lnd, token of LDK) under the paths they have in its data folder. Written when the node's data is seeded, read by every
verb that talks to it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from cartridge.errors import MissingError

FOLDER = "credentials"
TLS_CERT, MACAROON, IDENTITY = "tls.cert", "data/chain/bitcoin/regtest/admin.macaroon", "identity.pubkey"
"""Where `lightning.wallets` puts them, relative to a node's data folder."""
TOKEN = "token"  # noqa: S105 the file's name
KEPT = (TLS_CERT, MACAROON, IDENTITY, TOKEN)
"""What clients need, whatever runs the node."""


class Credentials(Struct, frozen=True):
    """One node's: its public key (hex), and paths to its certificate and admin macaroon."""

    identity: str
    tls_cert: Path
    admin_macaroon: Path


def of(folder: Path, node: str) -> Credentials:
    """Return the credentials of `node` in a stack's folder.

    Raises:
        MissingError: `credentials-missing`.
    """
    identity = read(folder, node, IDENTITY).decode()
    return Credentials(identity, place(folder, node, TLS_CERT), place(folder, node, MACAROON))


def read(folder: Path, node: str, path: str) -> bytes:
    """Return one of the files, by its path in the node's data folder.

    Raises:
        MissingError: `credentials-missing`.
    """
    try:
        return place(folder, node, path).read_bytes()
    except FileNotFoundError as error:
        raise MissingError(
            f"`{node}` has no credentials (yet)", code="credentials-missing", resolution="`cartridge up` makes them"
        ) from error


def identities(folder: Path, nodes: Iterable[str]) -> dict[str, str]:
    """Return the public keys (hex) of these nodes by name; without those that never came so far as to have one."""
    found = {}
    for node in nodes:
        with contextlib.suppress(MissingError):
            found[node] = read(folder, node, IDENTITY).decode()
    return found


def place(folder: Path, node: str, path: str) -> Path:
    """Return where one of the files is kept, given its path in the node's data folder."""
    return folder / FOLDER / node / path


def write(folder: Path, node: str, files: Mapping[str, bytes]) -> None:
    """Keep a node's credentials; `files` are what its fresh data folder gets, by path."""
    for path in KEPT:
        if path in files:
            keep(folder, node, path, files[path])


def keep(folder: Path, component: str, path: str, content: bytes) -> None:
    """Keep one file of a component's under the path it has in its data folder."""
    file_at = place(folder, component, path)
    file_at.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(file_at, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
