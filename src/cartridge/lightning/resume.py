"""From nodes started on data of before to a network that pays: connected, every channel active, payments proven.

Opens nothing, mines nothing and closes nothing; what every node has is what the network is. A probe payment is one
that its receiver must refuse, so no balance changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from msgspec import Struct

from cartridge.journal.recorder import Recorder
from cartridge.lightning import proof
from cartridge.lightning.nodes.node import Node, NodeChannel, NotYetError
from cartridge.lightning.observation import await_forwarding
from cartridge.probes.wait import Patience, until

In = TypeVar("In")
Out = TypeVar("Out")


class Member(Struct, frozen=True):
    """A node of a network that goes on: its grip, its public key, and host:port at which the others reach it."""

    node: Node
    pubkey: str
    address: str


def resume(members: Mapping[str, Member], recorder: Recorder, patience: Patience, *, probe: bool = True) -> int:
    """Return how many channels are active again, once all that were open are.

    Args:
        members: every node, active, by name.
        recorder: is told the steps `network/connect`, `network/active` and `network/probe`.
        patience: how long all of it may take.
        probe: whether a payment must pass over each channel.

    Raises:
        UnknownVerdictError: `wait-timeout`.
        CartridgeError: what nodes raise.
    """
    with ThreadPoolExecutor(max(4, min(64, 2 * len(members)))) as pool:
        run = _Run(members, patience, pool)
        with recorder.step("network/connect", "peers: connecting again"):
            channels = run.connect()
        with recorder.step("network/active", "channels: becoming active again"):
            run.each(run.await_active, members)
            points = frozenset(point for _, _, point in channels)
            run.each(lambda one: await_forwarding(one.node, points, patience), members.values())
        if probe and channels:
            with recorder.step("network/probe", "channels: paying") as step:
                step.note = f"{sum(run.each(run.prove, channels))} payments"
    return len(channels)


class _Run(Struct, frozen=True):
    members: Mapping[str, Member]
    patience: Patience
    pool: ThreadPoolExecutor

    def each(self, step: Callable[[In], Out], over: Iterable[In]) -> list[Out]:
        """Do a step for each at the same time; the first error ends it."""
        return list(self.pool.map(step, over))

    def connect(self) -> list[tuple[Member, Member, str]]:
        """Connect the ends of every channel and return the channels: opener, the other end, and point."""
        known = {member.pubkey: member for member in self.members.values()}
        lists = self.each(lambda member: _open(member.node), self.members.values())
        channels = [
            (member, known[channel.peer], channel.point)
            for member, mine in zip(self.members.values(), lists, strict=True)
            for channel in mine
            if channel.initiator and channel.peer in known
        ]
        pairs = {(one.pubkey, other.pubkey): (one, other) for one, other, _ in channels}
        self.each(self._connect, pairs.values())
        return channels

    def _connect(self, pair: tuple[Member, Member]) -> None:
        one, other = pair

        def connected() -> bool:
            one.node.connect(other.pubkey, other.address)
            return True

        what = f"`{one.node.name}` to connect to `{other.node.name}`"
        until(connected, what, self.patience, expected=(NotYetError,))

    def await_active(self, name: str) -> None:
        """Return once every channel a node has with a member is active."""
        node, keys = self.members[name].node, {member.pubkey for member in self.members.values()}

        def active() -> bool:
            return all(channel.active for channel in _open(node) if channel.peer in keys)

        until(active, f"every channel of `{name}` to be active", self.patience)

    def prove(self, channel: tuple[Member, Member, str]) -> int:
        """Return how many payments passed over a channel: one, or none where neither end holds enough."""
        one, other, point = channel
        return proof.test((one.node, other.node), point, self.patience)


def _open(node: Node) -> list[NodeChannel]:
    return [channel for channel in node.channels() if not channel.pending]
