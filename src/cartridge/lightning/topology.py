"""What a network block asks for, compared with what is there: pure functions from data to data.

A channel is known by (from, to, capacity) and its place among those alike, never by a txid: so a channel that was
opened by an earlier, killed run is found again, and none is opened twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cartridge.lightning.lnd import FUNDING_FEE
from cartridge.lightning.node import NodeChannel, Policy, WalletCoin
from cartridge.model import network as model
from cartridge.model.quantities import Share, format_amount
from cartridge.plan.change import Change, ChangeKind

_SATOSHI = 1_000
"""Millisatoshis in a satoshi."""
SMALLEST, LARGEST = 20_000, 1_000_000_000
"""Satoshis a channel can hold: lnd's minimum, and its maximum with wumbo channels (10 BTC)."""
RESERVE_PER_CHANNEL, RESERVE_AT_MOST = 10_000, 100_000
"""Satoshis lnd keeps back on the chain for each announced channel it opens, to be able to bump fees."""


@dataclass(frozen=True, slots=True)
class ChannelKey:
    """A channel's name: opener, other end, capacity in satoshis, and place (from 0) among those alike."""

    opener: str
    acceptor: str
    capacity: int
    place: int

    def __str__(self) -> str:
        return f"channel/{self.opener}-{self.acceptor}" + (f"-{self.place + 1}" if self.place else "")


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
class Problem:
    """Something in a network block that no network can be.

    Attributes:
        path: keys from `network` to the value, such as `("channels", 0, "capacity")`.
        code: stable slug.
        brief: one sentence without a full stop.
        resolution: what to do about it.
    """

    path: tuple[str | int, ...]
    code: str
    brief: str
    resolution: str


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
        changes: the same for people, one for every channel.
    """

    open: tuple[tuple[ChannelKey, model.Channel], ...]
    confirm: tuple[ChannelKey, ...]
    policies: tuple[PolicyChange, ...]
    changes: tuple[Change, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the network is as written."""
        return not (self.open or self.confirm or self.policies)


def keys(network: model.Network) -> dict[ChannelKey, model.Channel]:
    """Return every channel of the network by its key, in the order written."""
    alike: Counter[tuple[str, str, int]] = Counter()
    found = {}
    for channel in network.channels:
        kind = (channel.from_, channel.to, channel.capacity // _SATOSHI)
        found[ChannelKey(*kind, place=alike[kind])] = channel
        alike[kind] += 1
    return found


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
    names = {one.pubkey: name for name, one in seen.items()}
    alike: dict[tuple[str, str, int], list[NodeChannel]] = defaultdict(list)
    for opener, one in seen.items():
        # open ones first, then in the order of the chain: the same channel keeps its place from run to run
        for channel in sorted(one.channels, key=lambda it: (it.pending, it.scid, it.point)):
            if channel.initiator and channel.peer in names:
                alike[opener, names[channel.peer], channel.capacity].append(channel)
    found = {}
    for key in keys(network):
        kind = alike[key.opener, key.acceptor, key.capacity]
        if key.place < len(kind):
            found[key] = kind[key.place]
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
    return NetworkPlan(missing, waiting, policies, _changes(wanted, missing, waiting, policies))


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


def problems(network: model.Network) -> tuple[Problem, ...]:
    """Return everything in the network block that lnd would refuse, before anything is started."""
    found = [*_whole(network)]
    opened: Counter[str] = Counter(channel.from_ for channel in network.channels if not channel.private)
    for place, channel in enumerate(network.channels):
        found += _channel_problems(place, channel)
    for name, node in network.nodes.items():
        least = min(RESERVE_PER_CHANNEL * opened[name], RESERVE_AT_MOST) * _SATOSHI
        if node.balance < least:
            found.append(
                Problem(
                    ("nodes", name, "balance"),
                    "balance-too-low",
                    f"`{name}` opens {opened[name]} announced channels but keeps only {format_amount(node.balance)}",
                    f"leave it {format_amount(least)} or more: lnd holds that back to be able to bump fees",
                )
            )
    return tuple(found)


def _channel_problems(place: int, channel: model.Channel) -> Iterable[Problem]:
    capacity = channel.capacity // _SATOSHI
    if not SMALLEST <= capacity <= LARGEST:
        yield Problem(
            ("channels", place, "capacity"),
            "capacity-out-of-range",
            f"a channel cannot hold {format_amount(channel.capacity)}",
            f"write an amount from `{SMALLEST:_} sat` to `{LARGEST:_} sat`",
        )
    elif pushed(channel) > capacity - capacity // 20 - SMALLEST // 4:
        yield Problem(
            ("channels", place, "push"),
            "push-too-large",
            f"`{channel.from_}` cannot give away {pushed(channel):_} sat of {capacity:_} sat",
            "push at most 90% of the capacity: the opener keeps a reserve of 1% and pays the commitment's fee",
        )


def _whole(network: model.Network) -> Iterable[Problem]:
    amounts: list[tuple[tuple[str | int, ...], int]] = [
        (("nodes", name, "balance"), node.balance) for name, node in network.nodes.items()
    ]
    for place, channel in enumerate(network.channels):
        amounts.append((("channels", place, "capacity"), channel.capacity))
        if not isinstance(channel.push, Share):
            amounts.append((("channels", place, "push"), channel.push))
    for path, amount in amounts:
        if amount % _SATOSHI:
            yield Problem(
                path, "amount-not-whole", f"{format_amount(amount)} is no whole number of satoshis", "write it in `sat`"
            )


def _changes(
    wanted: Mapping[ChannelKey, model.Channel],
    missing: tuple[tuple[ChannelKey, model.Channel], ...],
    waiting: tuple[ChannelKey, ...],
    policies: tuple[PolicyChange, ...],
) -> tuple[Change, ...]:
    absent, other = {key for key, _ in missing}, {change.key for change in policies}

    def change(key: ChannelKey) -> Change:
        if key in absent:
            return Change(ChangeKind.CREATE, str(key), "it does not exist")
        if key in waiting:
            return Change(ChangeKind.START, str(key), "it exists, but not every node can use it yet")
        if key in other:
            return Change(ChangeKind.UPDATE, str(key), "a policy is not as written")
        return Change(ChangeKind.KEEP, str(key), "it is as written")

    return tuple(change(key) for key in wanted)
