"""What our daemon `ldk-regtest` answers, as data. Asks nobody."""

from __future__ import annotations

from msgspec import Struct

from cartridge.lightning.nodes.ending import Ending
from cartridge.lightning.nodes.node import Edge, InvoiceState, NodeChannel, WalletCoin


class Address(Struct, frozen=True):
    """A fresh address of its wallet."""

    address: str


class Trusting(Struct, frozen=True):
    """Whether the daemon starts again to trust others."""

    again: bool


class Session(Struct, frozen=True):
    """The name of a run of the daemon, and whether it ends now."""

    session: str
    again: bool


class Closed(Struct, frozen=True):
    """The transaction that closes a channel."""

    txid: str


class Opened(Struct, frozen=True):
    """Where a new channel lies."""

    point: str


class Peers(Struct, frozen=True):
    """Public keys of those it is connected to."""

    peers: frozenset[str]


class State(Struct, frozen=True):
    """How far an invoice has come."""

    state: InvoiceState


class Channels(Struct, frozen=True):
    """Its channels."""

    channels: tuple[NodeChannel, ...]


class Endings(Struct, frozen=True):
    """Its channels that are being closed."""

    endings: tuple[Ending, ...]


class Coins(Struct, frozen=True):
    """The coins of its wallet."""

    coins: tuple[WalletCoin, ...]


class Edges(Struct, frozen=True):
    """Its view of the network: what is announced (None: whoever asks has that digest), and its own beside it."""

    digest: str
    announced: tuple[Edge, ...] | None
    own: tuple[Edge, ...]


class Paid(Struct, frozen=True):
    """A payment that arrived; millisatoshis."""

    payment_hash: str
    amount: int
    fee: int


class Steers(Struct, frozen=True):
    """Whether a payment can be led over a channel, and who is at its other end."""

    steers: bool
    peer: str | None


class Views:
    """What nodes know of announced channels, by its digest: read once, however many nodes know the same."""

    _KEPT = 4

    def __init__(self) -> None:
        self._views: dict[str, tuple[Edge, ...]] = {}

    def known(self) -> dict[str, tuple[Edge, ...]]:
        """Return all that is kept."""
        return dict(self._views)

    def keep(self, digest: str, edges: tuple[Edge, ...]) -> None:
        """Keep one, and let the oldest go."""
        views = {**self._views, digest: edges}
        self._views = dict(list(views.items())[-self._KEPT :])


VIEWS = Views()
"""What the nodes of this process have told."""
