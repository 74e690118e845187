"""Which live channels are the written ones, and which are to go. Pure functions from data to data.

The opener's node remembers a channel's name with it, so one that an earlier, killed run opened is found again, and
none is opened twice. Ours are those with such a name; what anybody else opened is never taken for ours, nor closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from cartridge.lightning.nodes.node import NodeChannel
from cartridge.lightning.topology import ChannelKey, Seen, keys
from cartridge.model import network as model


class Former(Struct, frozen=True):
    """What is known of the time before this run, beside what the nodes say.

    Attributes:
        points: of channels that stay, by the names they have now.
        drop: points of channels that must go even if they look as written.
        balance: names of channels whose split shall be as written again.
        gone: public keys of nodes that are no longer in the network, or are made anew, by name.
        force: close by force what the two ends cannot agree to close.
    """

    points: Mapping[str, str] = field(default_factory=dict)
    drop: frozenset[str] = frozenset()
    balance: frozenset[str] = frozenset()
    gone: Mapping[str, str] = field(default_factory=dict)
    force: bool = False


class Closing(Struct, frozen=True):
    """A channel to close.

    Attributes:
        name: as its opener's node remembers it, or its point.
        closer: the node that closes it.
        peer: the node at the other end; "" where it is not there any more, so that it can only be forced.
        channel: as the closer sees it.
    """

    name: str
    closer: str
    peer: str
    channel: NodeChannel

    def __str__(self) -> str:
        return f"channel/{self.name}"


NOTHING = Former()


def match(network: model.Network, seen: Mapping[str, Seen], former: Former = NOTHING) -> dict[ChannelKey, NodeChannel]:
    """Return the channels of the network that exist, as their openers see them."""
    wanted, found = keys(network), dict[ChannelKey, NodeChannel]()
    free = {opener: [one for one in mine if one.point not in former.drop] for opener, mine in _opened(seen).items()}
    looks: tuple[Callable[[ChannelKey, NodeChannel], bool], ...] = (
        lambda key, channel: channel.point == former.points.get(key.name),
        lambda key, channel: channel.memo == key.name,
        lambda key, channel: _is_named(channel.memo, key.opener, key.acceptor),
    )
    for look in looks:
        for key, channel in wanted.items():
            peer = seen[key.acceptor].pubkey
            for one in () if key in found else free[key.opener]:
                if _is_alike(one, key, peer, channel) and look(key, one):
                    found[key] = one
                    free[key.opener].remove(one)
                    break
    return found


def closings(seen: Mapping[str, Seen], kept: Mapping[ChannelKey, NodeChannel], former: Former) -> tuple[Closing, ...]:
    """Return what must go: ours that nobody asks for any more, and what leads to nodes that are gone."""
    points, lost = {channel.point for channel in kept.values()}, set(former.gone.values())
    names = {one.pubkey: name for name, one in seen.items()} | {pubkey: name for name, pubkey in former.gone.items()}
    found = []
    for node, one in seen.items():
        for channel in one.channels:
            peer = names.get(channel.peer, "")
            is_ours = channel.initiator and (channel.point in former.drop or _is_named(channel.memo, node, peer))
            if channel.point not in points and (is_ours or channel.peer in lost):
                name = channel.memo or channel.point
                found.append(Closing(name, node, "" if channel.peer in lost else peer, channel))
    return tuple(found)


def strangers(
    seen: Mapping[str, Seen], kept: Mapping[ChannelKey, NodeChannel], going: tuple[Closing, ...]
) -> dict[str, tuple[str, NodeChannel]]:
    """Return the channels somebody else opened, by `channel/` and their points: a node of ours, and how it sees it."""
    ours = {channel.point for channel in kept.values()} | {one.channel.point for one in going}
    found: dict[str, tuple[str, NodeChannel]] = {}
    for name, one in seen.items():
        for channel in one.channels:
            if channel.point not in ours and (channel.initiator or f"channel/{channel.point}" not in found):
                found[f"channel/{channel.point}"] = (name, channel)
    return found


def stale(seen: Mapping[str, Seen]) -> frozenset[str]:
    """Return the points of channels some graph still holds, though an end of ours has none: they are being closed."""
    held = {one.pubkey: {channel.point for channel in one.channels} for one in seen.values()}
    edges = {edge for one in seen.values() for edge in one.policies}
    return frozenset(point for point, end in edges if end in held and point not in held[end])


def _opened(seen: Mapping[str, Seen]) -> dict[str, list[NodeChannel]]:
    return {name: [channel for channel in one.channels if channel.initiator] for name, one in seen.items()}


def _is_alike(channel: NodeChannel, key: ChannelKey, peer: str, written: model.Channel) -> bool:
    wanted = (peer, key.capacity, written.private, written.zero_conf)
    of_type = written.type in {None, channel.type}
    return of_type and (channel.peer, channel.capacity, channel.private, channel.zero_conf) == wanted


def _is_named(memo: str, opener: str, acceptor: str) -> bool:
    """Return whether a channel was opened as one from `opener` to `acceptor`, whichever number it had."""
    number = memo.removeprefix(f"{opener}-{acceptor}-")
    return number != memo and number.isdigit()
