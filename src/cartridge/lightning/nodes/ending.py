"""A channel that is being closed, as one of its ends sees it. Data alone."""

from __future__ import annotations

from msgspec import Struct


class Ending(Struct, frozen=True):
    """A channel that is being closed and of which this end may still get something, in satoshis.

    Attributes:
        point: its funding output.
        peer: public key of the other end.
        capacity: of the channel.
        local: what this end gets, less fees.
        remote: what the other end gets, less fees.
        initiator: this end opened it.
        private: it was not announced.
        forced: one end closed it without the other.
        waits: what closes it is in no block yet.
        txid: of what closes it; "" where the node does not tell.
        blocks_left: until all this end gets can be spent, as far as the node tells; else 0.
        memo: what the opener's node was given to remember; "" at the other end.
    """

    point: str
    peer: str
    capacity: int
    local: int
    remote: int
    initiator: bool
    private: bool
    forced: bool
    waits: bool
    txid: str = ""
    blocks_left: int = 0
    memo: str = ""
