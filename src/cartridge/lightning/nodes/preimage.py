"""Preimages and their hashes, for whoever decides about a payment. One is a secret until the payment is settled."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Preimage:
    """A preimage and its SHA-256, both 32 bytes in hex; the preimage is in no text form of this."""

    preimage: str = field(repr=False)
    payment_hash: str


def fresh() -> Preimage:
    """Return one that nobody knows."""
    preimage = secrets.token_bytes(32)
    return Preimage(preimage.hex(), hashlib.sha256(preimage).hexdigest())
