"""Who a node is, decided by names alone: the same stack and node always get the same keys.

Regtest only: whoever knows the names knows the keys. Nothing here is a secret, and nothing that must be one
(macaroon root keys, passwords) is made here.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

_PURPOSE = b"cartridge regtest wallet seed 1"


def wallet_seed(stack: str, node: str) -> bytes:
    """Return the 32 bytes from which all keys of `node` in the network of `stack` are derived."""
    return hmac.new(_PURPOSE, f"{stack}\0{node}".encode(), hashlib.sha256).digest()


def seed_files(implementation: str, stack: str, node: str) -> Mapping[str, bytes]:
    """Return what a fresh data folder must hold so that the node has the keys its names decide, by path.

    Nothing for implementations whose whole wallet is written ahead (see `genesis`).
    """
    seed = wallet_seed(stack, node)
    match implementation:
        case "cln":
            return {"regtest/hsm_secret": seed}
        case "eclair":
            return {"node_seed.dat": seed, "channel_seed.dat": hashlib.sha256(seed).digest()}
        case _:
            return {}
