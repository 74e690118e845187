"""What a file of another tool says of a network, before it is made one that comes up here. Frozen; amounts in satoshis.

A reader yields this as the file has it; `fitting.fit` changes what cannot be here, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from cartridge.errors import InputError


class ImportedNode(Struct, frozen=True):
    """A node: what the file knows it by, what it is called, and which implementation it ran, in our words."""

    key: str
    name: str
    implementation: str


class ImportedPolicy(Struct, frozen=True):
    """What one end asks for forwarding, fees and limits in millisatoshis; None where the file does not say."""

    base_fee: int | None = None
    fee_rate: int | None = None
    time_lock_delta: int | None = None
    min_htlc: int | None = None
    max_htlc: int | None = None


class ImportedChannel(Struct, frozen=True):
    """A channel between two keys; `push` is None where the file knows nothing of balances.

    Attributes:
        opener: key of the node that funds it.
        acceptor: key of the other one.
        capacity: satoshis, or None.
        push: satoshis the other one has.
        private: whether it is kept from gossip.
        policies: by key of the end.
    """

    opener: str
    acceptor: str
    capacity: int | None
    push: int | None
    private: bool = False
    policies: Mapping[str, ImportedPolicy] = field(default_factory=dict)


class Imported(Struct, frozen=True):
    """A network as a file has it, and what its reader left out, a sentence each."""

    source: str
    name: str
    nodes: tuple[ImportedNode, ...]
    channels: tuple[ImportedChannel, ...]
    notes: tuple[str, ...] = ()


def unreadable(path: str, why: str) -> InputError:
    """Return the error that a file is none of a format's."""
    return InputError(
        f"`{path}` cannot be imported: {why}",
        code="import-unreadable",
        resolution="give the output of `lncli describegraph`, an archive exported by Polar, or Warnet's `network.yaml`",
    )


def counted(number: int, thing: str) -> str:
    """Return `1 node` or `3 nodes`."""
    return f"{number:_} {thing}{'' if number == 1 else 's'}"
