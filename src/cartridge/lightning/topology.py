"""What a network block asks for, compared with what is there: pure functions from data to data.

A channel is known by its name (from, to and its place among the channels between them) and its capacity, never by a
txid. The opener's node remembers the name with the channel: so one that an earlier, killed run opened is found again,
none is opened twice, and what somebody else opened is never taken for ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cartridge.lightning.node import FUNDING_FEE, NodeChannel, Policy, WalletCoin
from cartridge.lightning.proof import half_proven
from cartridge.model import network as model
from cartridge.model.quantities import Share
from cartridge.plan.change import Change, ChangeKind
from cartridge.plan.planner import channel_name

_SATOSHI = 1_000
"""Millisatoshis in a satoshi."""


@dataclass(frozen=True, slots=True)
class ChannelKey:
    """A channel: its ends, its name (as in `plan.planner.channel_name`), and its capacity in satoshis."""

    opener: str
    acceptor: str
    name: str
    capacity: int

    def __str__(self) -> str:
        return f"channel/{self.name}"


@dataclass(frozen=True, slots=True)
class Seen:
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


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """The policy one end of a channel must get; `node` is that end's name."""

    key: ChannelKey
    node: str
    policy: model.Policy


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """What must be done to a live network, in the order of its channels.

    Attributes:
        open: channels that are missing, with what was written of them.
        confirm: channels that exist and are not active yet, or not known with both policies wherever they must be.
        policies: ends whose policy is not as written; those of channels still to be opened are not among them.
        mend: channels over which a probe went there and not back, because its run was killed in between.
        changes: the same for people, one for every channel.
    """

    open: tuple[tuple[ChannelKey, model.Channel], ...]
    confirm: tuple[ChannelKey, ...]
    policies: tuple[PolicyChange, ...]
    mend: tuple[ChannelKey, ...]
    changes: tuple[Change, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the network is as written."""
        return not (self.open or self.confirm or self.policies or self.mend)


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


def match(network: model.Network, seen: Mapping[str, Seen]) -> dict[ChannelKey, NodeChannel]:
    """Return the channels of the network that exist, as their openers see them."""
    there = {
        (opener, channel.memo, channel.peer, channel.capacity): channel
        for opener, one in seen.items()
        for channel in one.channels
        if channel.initiator
    }
    found = {}
    for key in keys(network):
        channel = there.get((key.opener, key.name, seen[key.acceptor].pubkey, key.capacity))
        if channel is not None:
            found[key] = channel
    return found


def plan_network(network: model.Network, seen: Mapping[str, Seen]) -> NetworkPlan:
    """Return what makes the live network as written; nothing that is as written is touched."""
    wanted, existing = keys(network), match(network, seen)
    missing = tuple((key, channel) for key, channel in wanted.items() if key not in existing)
    waiting = tuple(
        key
        for key, channel in existing.items()
        if channel.pending
        or not channel.active
        or not all(
            knows(seen[name], channel.point, (seen[key.opener].pubkey, seen[key.acceptor].pubkey))
            for name in readers(wanted[key], seen)
        )
    )
    policies = tuple(
        PolicyChange(key, node, policy)
        for key, channel in existing.items()
        for node, policy in wanted[key].policies.items()
        if not satisfied(policy, seen[node].policies.get((channel.point, seen[node].pubkey)))
    )
    mend = tuple(key for key, channel in existing.items() if network.probe != "none" and half_proven(channel))
    changes = _changes(wanted, {key for key, _ in missing}, {*waiting, *mend}, {change.key for change in policies})
    return NetworkPlan(missing, waiting, policies, mend, changes)


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


def _changes(
    wanted: Iterable[ChannelKey], missing: set[ChannelKey], waiting: set[ChannelKey], other: set[ChannelKey]
) -> tuple[Change, ...]:
    def change(key: ChannelKey) -> Change:
        if key in missing:
            return Change(ChangeKind.CREATE, str(key), "it does not exist")
        if key in waiting:
            return Change(ChangeKind.START, str(key), "it exists, but is not proven to work for every node")
        if key in other:
            return Change(ChangeKind.UPDATE, str(key), "a policy is not as written")
        return Change(ChangeKind.KEEP, str(key), "it is as written")

    return tuple(change(key) for key in wanted)
