"""From running nodes to a network as written: channels active, known everywhere with both policies, and proven.

Each step looks before it acts, so a run that was killed anywhere is taken up where it stopped, and a network that
is as written is left alone. The split of a channel is never spoilt: what a probe pays comes back.
Never starts, stops or configures a node, and never closes a channel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from cartridge.errors import UnknownVerdictError
from cartridge.journal.recorder import Recorder
from cartridge.lightning import proof, topology
from cartridge.lightning.chain import Chain, Output
from cartridge.lightning.node import Node, NodeChannel, NotYetError, Opening, Policy
from cartridge.lightning.observation import look_at_graph, observe
from cartridge.lightning.producer import BlockProducer
from cartridge.lightning.topology import ChannelKey, NetworkPlan, PolicyChange, Seen
from cartridge.model.network import Channel, Network
from cartridge.plan.change import Change
from cartridge.probes.wait import Patience, until

ANNOUNCE = 6
"""Confirmations after which lnd announces a channel to the network."""
SECOND_LOOK = 2.0
"""Seconds a confirmed channel gets to become active before another block is tried."""

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


@dataclass(frozen=True, slots=True)
class Raised:
    """What was done: one change for each channel, and the points of all channels by their names."""

    changes: tuple[Change, ...]
    points: Mapping[str, str]


def raise_network(network: Network, handles: Handles, recorder: Recorder, patience: Patience) -> Raised:
    """Make the network as written and return once it is.

    Args:
        network: what is wanted.
        handles: what runs; every node of the network is active.
        recorder: is told the steps `network/…`.
        patience: how long all of it may take.

    Raises:
        InputError: `network-impossible`, lnd could never be like that.
        PaymentError: `payment-failed`, a probe did not pass.
        CartridgeError: what chain and nodes raise.
    """
    topology.refuse_impossible(network)
    with ThreadPoolExecutor(max(4, min(64, 2 * len(handles.nodes) + len(network.channels)))) as pool:
        return _Run(network, handles, recorder, patience, pool).all_steps()


@dataclass
class _Run:
    """One run: what it works on, and what it has learnt."""

    network: Network
    handles: Handles
    recorder: Recorder
    patience: Patience
    pool: ThreadPoolExecutor
    points: dict[ChannelKey, str] = field(default_factory=dict)
    pubkeys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.wanted = topology.keys(self.network)
        self.producer = BlockProducer(self.handles.chain, self.handles.nodes, self.patience, self.pool)

    def all_steps(self) -> Raised:
        """Do what is missing, in order."""
        seen = self.observe()
        plan = topology.plan_network(self.network, seen)
        if not plan.is_empty:
            self.connect(plan)
            self.open(plan, self.fund(plan, seen))
            self.confirm(plan)
            self.set_policies(plan)
            self.spread()
            self.prove(plan)
        return Raised(plan.changes, {str(key): self.points[key] for key in self.wanted})

    def observe(self) -> Mapping[str, Seen]:
        """Look at every node, and remember what does not change."""
        seen = observe(self.handles.nodes)
        self.pubkeys = {name: one.pubkey for name, one in seen.items()}
        self.points = {key: channel.point for key, channel in topology.match(self.network, seen).items()}
        return seen

    def connect(self, plan: NetworkPlan) -> None:
        """Connect both ends of every channel that needs it, all at the same time."""
        pairs = {(key.opener, key.acceptor) for key in (*(key for key, _ in plan.open), *plan.confirm)}
        with self.recorder.step("network/connect", "peers: connecting"):
            self.everywhere(self._connect, sorted(pairs))

    def _connect(self, pair: tuple[str, str]) -> None:
        node, pubkey = self.handles.nodes[pair[0]], self.pubkeys[pair[1]]

        def connected() -> bool:
            node.connect(pubkey, self.handles.addresses[pair[1]])
            return True

        until(connected, f"`{pair[0]}` to connect to `{pair[1]}`", self.patience, expected=(NotYetError,))

    def fund(self, plan: NetworkPlan, seen: Mapping[str, Seen]) -> dict[ChannelKey, str]:
        """Find a coin of its own for each channel to open; what new nodes were not given is paid now."""
        with self.recorder.step("network/coins", "channels: finding coins") as step:
            coins, missing = _assign(plan, seen)
            if not missing:
                step.skip("every coin is there")
                return coins
            addresses = self.everywhere(lambda key: self.handles.nodes[key.opener].new_address(), missing)
            self.producer.pay(
                [
                    Output(address, topology.channel_coin(self.wanted[key]))
                    for key, address in zip(missing, addresses, strict=True)
                ]
            )
            return until(lambda: self._reassign(plan), "the wallets to see their coins", self.patience)

    def _reassign(self, plan: NetworkPlan) -> dict[ChannelKey, str] | None:
        openers = sorted({key.opener for key, _ in plan.open})
        wallets = self.everywhere(lambda name: self.handles.nodes[name].coins(), openers)
        seen = {name: Seen(self.pubkeys[name], coins=coins) for name, coins in zip(openers, wallets, strict=True)}
        coins, missing = _assign(plan, seen)
        return None if missing else coins

    def open(self, plan: NetworkPlan, coins: Mapping[ChannelKey, str]) -> None:
        """Open what is missing, all at the same time, and wait until every funding is in the mempool."""
        if not plan.open:
            return
        with self.recorder.step("network/open", f"channels: opening {len(plan.open)}"):
            opened = self.everywhere(lambda item: self._open(*item, coins[item[0]]), plan.open)
            self.points |= {key: point for (key, _), point in zip(plan.open, opened, strict=True)}
            txids = {point.partition(":")[0] for point in opened}
            until(lambda: txids <= self.handles.chain.mempool(), "the fundings to be in the mempool", self.patience)

    def _open(self, key: ChannelKey, channel: Channel, coin: str) -> str:
        own = channel.policies.get(key.opener)
        opening = Opening(
            peer=self.pubkeys[key.acceptor],
            capacity=key.capacity,
            push=topology.pushed(channel),
            coin=coin,
            memo=key.name,
            private=channel.private,
            base_fee=own.base_fee if own else None,
            fee_rate=own.fee_rate if own else None,
        )
        node = self.handles.nodes[key.opener]
        return until(lambda: node.open(opening), f"`{key}` to open", self.patience, expected=(NotYetError,))

    def confirm(self, plan: NetworkPlan) -> None:
        """Mine until every channel is active at both ends, then until the network may hear of it."""
        wanted = {*(key for key, _ in plan.open), *plan.confirm}
        if not wanted:
            return
        with self.recorder.step("network/confirm", "channels: confirming") as step:
            mined = 0
            while missing := max((one.confirmations_missing for one in self.ends(wanted)), default=0):
                self.producer.mine(1)  # one by one: three at once right after opening have left a graph incomplete
                mined += 1
                if missing == 1 and self._active(wanted, SECOND_LOOK):
                    break
            if not self._active(wanted, self.patience.left()):
                raise UnknownVerdictError(
                    "channels did not become active",
                    code="channels-inactive",
                    details=tuple(sorted(map(str, wanted))),
                    resolution="read `cartridge logs` of their ends, then run `cartridge up` again",
                )
            self.producer.mine(max(1, ANNOUNCE - max(1, mined)))
            step.note = f"{mined + ANNOUNCE - 1} blocks"

    def _active(self, wanted: Iterable[ChannelKey], within: float) -> bool:
        brief = Patience.of(self.patience.clock, min(within, self.patience.left()), self.patience.cancelled)
        keys = tuple(wanted)
        try:
            return until(lambda: all(end.active for end in self.ends(keys)), "channels to be active", brief)
        except UnknownVerdictError as error:
            if error.code != "wait-timeout":
                raise
            return False

    def ends(self, keys: Iterable[ChannelKey]) -> list[NodeChannel]:
        """Return both ends of these channels, asked of the nodes now."""
        wanted = {(name, self.points[key]) for key in keys for name in (key.opener, key.acceptor)}
        names = sorted({name for name, _ in wanted})
        lists = self.everywhere(lambda name: self.handles.nodes[name].channels(), names)
        found = {
            (name, channel.point): channel for name, all_of in zip(names, lists, strict=True) for channel in all_of
        }
        return [found[end] for end in sorted(wanted) if end in found]

    def set_policies(self, plan: NetworkPlan) -> None:
        """Give each end the policy that was written for it."""
        opened = {key for key, _ in plan.open}
        fresh = [PolicyChange(key, *item) for key in opened for item in self.wanted[key].policies.items()]
        changes = [*fresh, *plan.policies]
        if not changes:
            return
        with self.recorder.step("network/policies", "channels: setting policies"):
            self.everywhere(self._set_policy, changes)

    def _set_policy(self, change: PolicyChange) -> None:
        node, end = self.handles.nodes[change.node], (self.points[change.key], self.pubkeys[change.node])
        known = until(lambda: look_at_graph(node).get(end), f"`{change.node}` to know `{change.key}`", self.patience)
        if not topology.satisfied(change.policy, known):
            node.set_policy(end[0], topology.merged(change.policy, known))

    def spread(self) -> None:
        """Wait until each node knows each channel it may use, with both policies as written."""
        with self.recorder.step("network/gossip", "graph: spreading"):
            self.everywhere(self._hear, self.handles.nodes.items())

    def _hear(self, item: tuple[str, Node]) -> None:
        name, node = item
        mine = [key for key, channel in self.wanted.items() if name in topology.readers(channel, self.handles.nodes)]

        def complete() -> bool:
            policies = look_at_graph(node)
            return all(self._as_written(key, policies) for key in mine)

        until(complete, f"`{name}` to know every channel", self.patience)

    def _as_written(self, key: ChannelKey, policies: Mapping[tuple[str, str], Policy]) -> bool:
        for end in (key.opener, key.acceptor):
            known = policies.get((self.points[key], self.pubkeys[end]))
            wanted = self.wanted[key].policies.get(end)
            if known is None or (wanted is not None and not topology.satisfied(wanted, known)):
                return False
        return True

    def prove(self, plan: NetworkPlan) -> None:
        """Send a payment each way over each channel and see that its split is as it was."""
        if self.network.probe == "none":
            return
        touched = [*(key for key, _ in plan.open), *plan.confirm]
        with self.recorder.step("network/probe", "channels: paying both ways") as step:
            self.everywhere(self._mend, plan.mend)
            each = self.everywhere(self._prove, touched)
            step.note = f"{sum(each)} payments"

    def _mend(self, key: ChannelKey) -> None:
        ends = (self.handles.nodes[key.opener], self.handles.nodes[key.acceptor])
        proof.pay_back(ends, self.points[key], self.patience)

    def _prove(self, key: ChannelKey) -> int:
        ends = (self.handles.nodes[key.opener], self.handles.nodes[key.acceptor])
        return proof.prove(ends, self.points[key], self.patience)

    def everywhere(self, step: Callable[[In], Out], over: Iterable[In]) -> list[Out]:
        """Do a step for each at the same time; the first error ends it."""
        return list(self.pool.map(step, over))


def _assign(plan: NetworkPlan, seen: Mapping[str, Seen]) -> tuple[dict[ChannelKey, str], list[ChannelKey]]:
    """Return an exactly fitting coin for each channel to open, and the channels there is none for."""
    free = {
        name: sorted((coin.amount, coin.outpoint) for coin in one.coins if coin.confirmations)
        for name, one in seen.items()
    }
    coins, missing = {}, []
    for key, channel in plan.open:
        amount = topology.channel_coin(channel)
        fitting = next((coin for coin in free[key.opener] if coin[0] == amount), None)
        if fitting is None:
            missing.append(key)
        else:
            free[key.opener].remove(fitting)
            coins[key] = fitting[1]
    return coins, missing
