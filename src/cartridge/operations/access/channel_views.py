"""The channels of a stack as its nodes see them now, by the names people use. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from cartridge.errors import InputError, MissingError
from cartridge.lightning.nodes.scids import short_id
from cartridge.operations.results.networks import ChannelView, PolicyView
from cartridge.plan.state import State

if TYPE_CHECKING:
    from cartridge.lightning.nodes.ending import Ending
    from cartridge.lightning.nodes.node import Edge, Node, NodeChannel

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
        return tuple(sorted(views, key=_order))

    def endings(self) -> tuple[ChannelView, ...]:
        """Return every channel that is being closed once, as its opener sees it where that tells, in their order."""
        ends: dict[str, list[tuple[str, Ending]]] = {}
        for name, node in self._nodes.items():
            for ending in node.endings():
                ends.setdefault(ending.point, []).append((name, ending))
        return tuple(sorted(map(self._ending, ends.values()), key=_order))

    def view(self, point: str) -> ChannelView:
        """Return the channel with this funding output, which exists."""
        return next(one for one in self.views() if one.point == point)

    def _view(self, name: str, channel: NodeChannel, edge: Edge | None) -> ChannelView:
        opener, acceptor, local, remote = self._sides(name, channel)
        scid = channel.place or channel.scid
        state = "pending" if channel.pending else "active" if channel.active else "inactive"
        return ChannelView(
            name=self._name_of(channel.point, channel.memo),
            opener=opener,
            acceptor=acceptor,
            state=state,
            capacity=channel.capacity * SATOSHI,
            local=local,
            remote=remote,
            point=channel.point,
            scid=short_id(scid),
            private=channel.private,
            policies=self._policies(edge),
            zero_conf=channel.zero_conf,
            unconfirmed=channel.unconfirmed,
            type=channel.type,
            aliases=tuple(map(short_id, sorted({channel.scid, *channel.aliases} - {0, scid}))),
        )

    def _ending(self, ends: list[tuple[str, Ending]]) -> ChannelView:
        """Return a channel that is being closed, from what one or both ends tell."""
        name, ending = next((end for end in ends if end[1].initiator), ends[0])
        opener, acceptor, local, remote = self._sides(name, ending)
        forced = any(one.forced for _, one in ends)
        waits = all(one.waits for _, one in ends)
        return ChannelView(
            name=self._name_of(ending.point, ending.memo),
            opener=opener,
            acceptor=acceptor,
            state="waiting-close" if waits else "force-closing" if forced else "closing",
            capacity=ending.capacity * SATOSHI,
            local=local,
            remote=remote,
            point=ending.point,
            scid="",
            private=ending.private,
            closing_txid=next((one.txid for _, one in ends if one.txid), ""),
            blocks_left=max(one.blocks_left for _, one in ends),
        )

    def _sides(self, name: str, seen: NodeChannel | Ending) -> tuple[str, str, int, int]:
        """Return opener, acceptor, and what each of them holds in millisatoshis, as the end `name` sees it."""
        ends = (name, self._names.get(seen.peer, seen.peer))
        holds = (seen.local * SATOSHI, seen.remote * SATOSHI)
        return (*ends, *holds) if seen.initiator else (*ends[::-1], *holds[::-1])

    def _name_of(self, point: str, memo: str) -> str:
        """Return the name the last `up` knew a channel by, or had its opener remember; "" for a stranger."""
        there = (name for name, record in self._state.channels.items() if record.point == point)
        return next(there, memo if memo in self._state.channels else "")

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


def _order(channel: ChannelView) -> tuple[str, str, bool, str, str]:
    return channel.opener, channel.acceptor, channel.name == "", channel.name, channel.point


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
