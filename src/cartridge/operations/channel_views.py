"""The channels of a stack as its nodes see them now, by the names people use. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from cartridge.errors import InputError, MissingError
from cartridge.operations.network_reports import ChannelView, PolicyView
from cartridge.plan.state import State

if TYPE_CHECKING:
    from cartridge.lightning.node import Edge, Node, NodeChannel

SATOSHI = 1_000
"""Millisatoshis in a satoshi."""


class Look:
    """What the nodes of a stack that answer say of their channels."""

    def __init__(self, state: State, names: Mapping[str, str], nodes: Mapping[str, Node]) -> None:
        self._state, self._names, self._nodes = state, names, nodes

    def views(self) -> tuple[ChannelView, ...]:
        """Return every channel once: as its opener sees it, or its acceptor where the opener does not answer."""
        seen: dict[str, tuple[str, NodeChannel]] = {}
        edges: dict[str, Edge] = {}
        for name, node in self._nodes.items():
            mine = node.channels()
            if any(channel.point not in edges for channel in mine):  # a graph is large; mostly the first has it all
                edges |= {edge.point: edge for edge in node.edges()}
            for channel in mine:
                if channel.initiator or channel.point not in seen:
                    seen[channel.point] = (name, channel)
        views = [self._view(name, channel, edges.get(channel.point)) for name, channel in seen.values()]
        return tuple(sorted(views, key=lambda one: (one.opener, one.acceptor, one.name == "", one.name, one.point)))

    def view(self, point: str) -> ChannelView:
        """Return the channel with this funding output, which exists."""
        return next(one for one in self.views() if one.point == point)

    def _view(self, name: str, channel: NodeChannel, edge: Edge | None) -> ChannelView:
        other = self._names.get(channel.peer, channel.peer)
        opener, acceptor = (name, other) if channel.initiator else (other, name)
        local, remote = (channel.local, channel.remote) if channel.initiator else (channel.remote, channel.local)
        scid = channel.place or channel.scid
        state = "pending" if channel.pending else "active" if channel.active else "inactive"
        return ChannelView(
            name=self._name_of(channel),
            opener=opener,
            acceptor=acceptor,
            state=state,
            capacity=channel.capacity * SATOSHI,
            local=local * SATOSHI,
            remote=remote * SATOSHI,
            point=channel.point,
            scid=short_id(scid),
            private=channel.private,
            policies=self._policies(edge),
            zero_conf=channel.zero_conf,
            unconfirmed=channel.unconfirmed,
            type=channel.type,
            aliases=tuple(map(short_id, sorted({channel.scid, *channel.aliases} - {0, scid}))),
        )

    def _name_of(self, channel: NodeChannel) -> str:
        """Return the name the last `up` knew a channel by, or had its opener remember; "" for a stranger."""
        there = (name for name, record in self._state.channels.items() if record.point == channel.point)
        return next(there, channel.memo if channel.memo in self._state.channels else "")

    def _policies(self, edge: Edge | None) -> tuple[PolicyView, ...]:
        if edge is None:
            return ()
        return tuple(
            PolicyView(
                self._names.get(end, end),
                policy.base_fee,
                policy.fee_rate,
                policy.time_lock_delta,
                policy.min_htlc,
                policy.max_htlc,
            )
            for end, policy in zip(edge.ends, edge.policies, strict=True)
            if policy is not None
        )


def pick(channels: Iterable[ChannelView], which: tuple[str, ...]) -> ChannelView:
    """Return the one channel that is meant: by name, point or short id, or by two ends in any order.

    Raises:
        MissingError: `channel-unknown`.
        InputError: `channel-ambiguous`.
    """
    every = tuple(channels)
    if len(which) == 1:
        wanted = which[0].removeprefix("channel/")
        found = [one for one in every if wanted in {one.name, one.point, one.scid, *one.aliases} - {""}]
    else:
        found = [one for one in every if {one.opener, one.acceptor} == set(which)]
    if not found:
        known = ", ".join(f"`{label(one)}`" for one in every[:5])
        raise MissingError(
            f"there is no channel {' '.join(f'`{word}`' for word in which)}",
            code="channel-unknown",
            resolution=f"there are {known}" if known else "`cartridge channel open` opens one",
        )
    if len(found) > 1:
        listed = ", ".join(f"`{label(one)}`" for one in found)
        raise InputError(
            f"{' and '.join(f'`{word}`' for word in which)} share {len(found)} channels",
            code="channel-ambiguous",
            resolution=f"name one of {listed}",
        )
    return found[0]


def label(channel: ChannelView) -> str:
    """Return what a channel is best called by: its name, else its short id, else its point."""
    return channel.name or channel.scid or channel.point


def short_id(number: int) -> str:
    """Return a short channel id as people write it: block x transaction x output; "" for 0."""
    return f"{number >> 40}x{number >> 16 & 0xFFFFFF}x{number & 0xFFFF}" if number else ""
