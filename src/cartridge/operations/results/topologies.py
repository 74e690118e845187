"""What the commands of `cartridge network` answer. Frozen."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class ImportResult(Struct, frozen=True):
    """A stack written from a file of another tool.

    Attributes:
        stack: its name.
        path: where it was written.
        source: which format it was read from.
        nodes: how many there are.
        channels: how many there are.
        notes: what differs from the file, a sentence each.
        overwrote: whether a file was there before.
    """

    stack: str
    path: str
    source: str
    nodes: int
    channels: int
    notes: tuple[str, ...]
    overwrote: bool


class ExportResult(Struct, frozen=True):
    """A network in the form of another tool: its text, or the file it was written to, and what is not in it."""

    form: str
    text: str
    path: str
    notes: tuple[str, ...] = ()


class DrawnNode(Struct, frozen=True):
    """A node: name, implementation ("" where it is not known), and its place from 0 to 1 across and down."""

    name: str
    implementation: str
    x: float
    y: float


class DrawnChannel(Struct, frozen=True):
    """A channel: who opened it, the other end, and in satoshis what it holds and what is on either side.

    The balances are those of now where the network is up, else what is written.
    """

    opener: str
    acceptor: str
    capacity: int
    local: int
    remote: int
    active: bool
    private: bool


class GraphResult(Struct, frozen=True):
    """A network to look at; `text` is the picture for a terminal, `path` the file a picture was written to.

    Attributes:
        stack: its name.
        live: whether balances are those of now.
        nodes: in the order of the network.
        channels: in the order of the network.
        text: drawn with characters.
        path: of the picture, or "".
        totals: satoshis in channels, by node.
    """

    stack: str
    live: bool
    nodes: tuple[DrawnNode, ...]
    channels: tuple[DrawnChannel, ...]
    text: str
    path: str
    totals: Mapping[str, int]
