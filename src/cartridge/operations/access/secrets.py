"""The secrets of one stack: random, made once, kept in one file of mode 0600 beside the state.

`rpc_password` opens bitcoind, `rpcauth` is its salted form for bitcoin.conf, `macaroon_root_key` signs lnd's
macaroons. Nothing here is ever printed or put into a plan.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

RPC_USER = "cartridge"
NAME = "secrets.json"


def ensure(folder: Path) -> Mapping[str, str]:
    """Return the stack's secrets, made at the first call; two processes at once agree on one set."""
    path = folder / NAME
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, encoding="utf-8") as file:  # made 0600
            json.dump(_made(), file)
            file.flush()
            with contextlib.suppress(FileExistsError):  # another process was first
                os.link(file.name, path)
    return {name: str(value) for name, value in json.loads(path.read_text(encoding="utf-8")).items()}


def rpcauth(user: str, password: str, salt: str) -> str:
    """Return the value of bitcoind's `rpcauth=`: HMAC-SHA256 of the password, keyed with the salt.

    Source: Bitcoin Core, share/rpcauth.
    """
    return f"{user}:{salt}${hmac.new(salt.encode(), password.encode(), hashlib.sha256).hexdigest()}"


def _made() -> Mapping[str, str]:
    password = secrets.token_hex(24)
    return {
        "rpc_password": password,
        "rpcauth": rpcauth(RPC_USER, password, secrets.token_hex(16)),
        "macaroon_root_key": secrets.token_hex(32),
    }
