"""What a network block asks for, and what a node looks like: data, and pure functions over it.

A channel is known by its name (from, to and its place among the channels between them) and its capacity.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from cartridge.lightning.nodes.node import FUNDING_FEE, NodeChannel, Policy, WalletCoin
from cartridge.model import network as model
from cartridge.model.quantities import Share
from cartridge.plan.channels import channel_name

_SATOSHI = 1_000
"""Millisatoshis in a satoshi."""


class ChannelKey(Struct, frozen=True):
    """A channel: its ends, its name (as in `plan.planner.channel_name`), and its capacity in satoshis."""

    opener: str
    acceptor: str
    name: str
    capacity: int

    def __str__(self) -> str:
        return f"channel/{self.name}"


class Seen(Struct, frozen=True):
    """What one node of a live network looks like.

    Attributes:
        pubkey: its identity.
        channels: as it sees them.
        coins: of its wallet.
        policies: those its graph holds, by point and public key.
    """

    pubkey: str
    channels: tuple[NodeChannel, ...] = ()
    coins: tuple[WalletCoin, ...] = ()
    policies: Mapping[tuple[str, str], Policy] = field(default_factory=dict)


def keys(network: model.Network) -> dict[ChannelKey, model.Channel]:
    """Return every channel of the network by its key, in the order written."""
    found: dict[str, tuple[ChannelKey, model.Channel]] = {}
    for channel in network.channels:
        name = channel_name(channel, found)
        found[name] = (ChannelKey(channel.from_, channel.to, name, channel.capacity // _SATOSHI), channel)
    return dict(found.values())


def pushed(channel: model.Channel) -> int:
    """Return the satoshis given to the other end at the start."""
    push = channel.push.of(channel.capacity) if isinstance(channel.push, Share) else channel.push
    return push // _SATOSHI


def funding(network: model.Network) -> dict[str, tuple[int, ...]]:
    """Return the coins (satoshis) each node needs before it opens anything: its balance, then one for each channel."""
    coins: dict[str, list[int]] = {
        name: [node.balance // _SATOSHI] if node.balance else [] for name, node in network.nodes.items()
    }
    for channel in network.channels:
        coins[channel.from_].append(channel_coin(channel))
    return {name: tuple(amounts) for name, amounts in coins.items()}


def channel_coin(channel: model.Channel) -> int:
    """Return the satoshis of the one coin that pays for a channel and leaves no change."""
    return channel.capacity // _SATOSHI + FUNDING_FEE


def links(network: model.Network) -> set[tuple[str, str]]:
    """Return the pairs of nodes that must be connected beside those with channels for gossip to reach everybody."""
    part = {name: {name} for name in network.nodes}
    for channel in network.channels:
        one, other = part[channel.from_], part[channel.to]
        if one is not other:
            one |= other
            part |= dict.fromkeys(other, one)
    first = list(dict.fromkeys(next(name for name in network.nodes if name in part[node]) for node in network.nodes))
    return set(itertools.pairwise(first))


def readers(channel: model.Channel, nodes: Iterable[str]) -> tuple[str, ...]:
    """Return the nodes whose graph must hold a channel: all of them, or the two ends of a private one."""
    return (channel.from_, channel.to) if channel.private else tuple(nodes)


def knows(reader: Seen, point: str, ends: Iterable[str]) -> bool:
    """Return whether a node's graph holds the policies of both ends (public keys) of a channel."""
    return all((point, end) in reader.policies for end in ends)


def satisfied(wanted: model.Policy, known: Policy | None) -> bool:
    """Return whether a known policy is as written; what was left out may be anything."""
    return known is not None and merged(wanted, known) == known


def merged(wanted: model.Policy, known: Policy) -> Policy:
    """Return the known policy with what was written put over it."""
    return Policy(
        base_fee=known.base_fee if wanted.base_fee is None else wanted.base_fee,
        fee_rate=known.fee_rate if wanted.fee_rate is None else wanted.fee_rate,
        time_lock_delta=known.time_lock_delta if wanted.time_lock_delta is None else wanted.time_lock_delta,
        min_htlc=known.min_htlc if wanted.min_htlc is None else wanted.min_htlc,
        max_htlc=known.max_htlc if wanted.max_htlc is None else wanted.max_htlc,
    )
