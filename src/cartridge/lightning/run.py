"""One run over a live network: what it works on and what it has learnt. Asks many at once; decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from cartridge.journal.recorder import Recorder
from cartridge.lightning import topology
from cartridge.lightning.chains.bitcoind import Chain
from cartridge.lightning.matching import NOTHING, Former, match
from cartridge.lightning.nodes.node import Node, NodeChannel
from cartridge.lightning.observation import observe
from cartridge.lightning.producer import BlockProducer, in_lanes
from cartridge.lightning.topology import ChannelKey, Seen
from cartridge.model.network import Network
from cartridge.probes.wait import Patience

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True)
class Handles:
    """The grips on what runs.

    Attributes:
        chain: where blocks are made.
        nodes: by name.
        addresses: host:port at which the other nodes reach a node, by name.
    """

    chain: Chain
    nodes: Mapping[str, Node]
    addresses: Mapping[str, str]


@dataclass
class Run:
    """What the steps of one run share.

    Attributes:
        network: what is wanted.
        handles: what runs.
        recorder: is told the steps `network/…`.
        patience: how long all of it may take.
        pool: asks at the same time.
        former: what is known of the time before.
        points: of the channels that exist, by key.
        pubkeys: of the nodes, by name.
    """

    network: Network
    handles: Handles
    recorder: Recorder
    patience: Patience
    pool: ThreadPoolExecutor
    former: Former = NOTHING
    points: dict[ChannelKey, str] = field(default_factory=dict)
    pubkeys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.wanted = topology.keys(self.network)
        self.producer = BlockProducer(self.handles.chain, self.handles.nodes, self.patience, self.pool)

    def observe(self) -> Mapping[str, Seen]:
        """Look at every node, and remember what does not change."""
        seen = self.look()
        self.points = {key: channel.point for key, channel in match(self.network, seen, self.former).items()}
        return seen

    def look(self) -> Mapping[str, Seen]:
        """Look at every node, and remember who they are."""
        seen = observe(self.handles.nodes)
        self.pubkeys = {name: one.pubkey for name, one in seen.items()}
        return seen

    def ends(self, keys: Iterable[ChannelKey]) -> list[NodeChannel]:
        """Return both ends of these channels, asked of the nodes now."""
        wanted = {(name, self.points[key]) for key in keys for name in (key.opener, key.acceptor)}
        names = sorted({name for name, _ in wanted})
        lists = self.everywhere(lambda name: self.handles.nodes[name].channels(), names)
        found = {
            (name, channel.point): channel for name, all_of in zip(names, lists, strict=True) for channel in all_of
        }
        return [found[end] for end in sorted(wanted) if end in found]

    def in_turn(self, step: Callable[[In], Out], over: Iterable[In]) -> list[Out]:
        """Do a step that waits for each, a few at a time; the first error ends it."""
        return in_lanes(self.pool, step, over)

    def everywhere(self, step: Callable[[In], Out], over: Iterable[In]) -> list[Out]:
        """Do a step for each at the same time; the first error ends it."""
        return list(self.pool.map(step, over))
