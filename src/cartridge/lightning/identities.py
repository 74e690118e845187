"""Who a node is, decided by names alone: the same stack and node always get the same keys.

Regtest only: whoever knows the names knows the keys. Nothing here is a secret, and nothing that must be one
(macaroon root keys, passwords) is made here.
"""

from __future__ import annotations

import hashlib
import hmac

_PURPOSE = b"cartridge regtest wallet seed 1"


def wallet_seed(stack: str, node: str) -> bytes:
    """Return the 32 bytes from which all keys of `node` in the network of `stack` are derived."""
    return hmac.new(_PURPOSE, f"{stack}\0{node}".encode(), hashlib.sha256).digest()
