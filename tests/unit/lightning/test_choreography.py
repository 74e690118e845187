"""The choreography over nodes in memory: as written, whatever was there before, wherever it was killed."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from msgspec.structs import replace

from cartridge.errors import InputError
from cartridge.lightning.nodes.node import Edge, Policy
from cartridge.plan.change import ChangeKind
from tests.doubles.lightning_world import KilledError, Mortal, World
from tests.doubles.networks import line, network
from tests.doubles.node import FakeNode

RICH = network(
    ("alice", "bob", "carol"),
    {"from": "alice", "to": "bob", "capacity": "1_000_000 sat", "push": "25%"},
    {"from": "alice", "to": "bob", "capacity": "1_000_000 sat", "policies": {"alice": {"fee_rate": 7}}},
    {"from": "carol", "to": "bob", "capacity": "500_000 sat", "push": "1000 sat", "private": True},
)
RICH_FACTS = [
    ("alice", "bob", 1_000_000, 0, False, 7),
    ("alice", "bob", 1_000_000, 250_000, False, 1),
    ("carol", "bob", 500_000, 1_000, True, 1),
]


def test_a_new_network_becomes_as_written():
    """Capacity, push, policies and privacy; the probes leave no trace."""
    world = World(RICH)

    raised = world.raise_network()

    assert world.facts() == RICH_FACTS
    assert [change.kind for change in raised.changes] == [ChangeKind.CREATE] * 3
    assert set(raised.points) == {"channel/alice-bob-0", "channel/alice-bob-1", "channel/carol-bob-0"}
    assert world.steps == [f"network/{step}" for step in STEPS]


STEPS = ("connect", "coins", "open", "confirm", "policies", "gossip", "probe")


def test_balances_are_as_written_once_every_channel_is_funded():
    """Channels are paid for with coins of their own."""
    world = World(line(3))

    world.raise_network()

    assert [[coin.amount for coin in node.coins()] for node in world.nodes.values()] == [[100_000_000]] * 3


def test_a_network_that_is_as_written_is_left_alone():
    """Not even a block is mined."""
    world = World(RICH)
    world.raise_network()
    height, world.steps = world.chain.tip().height, []

    again = world.raise_network()

    assert (world.chain.tip().height, world.steps) == (height, [])
    assert {change.kind for change in again.changes} == {ChangeKind.KEEP}


def test_a_channel_added_later_is_paid_for_and_opened_alone():
    """What is there is not touched."""
    world = World(line(2))
    world.raise_network()
    wider = network(
        ("alice", "bob"),
        {"from": "alice", "to": "bob", "capacity": "10_000_000 sat", "push": "50%"},
        {"from": "bob", "to": "alice", "capacity": "300_000 sat"},
    )

    raised = world.raise_network(block=wider)

    assert [change.kind for change in raised.changes] == [ChangeKind.KEEP, ChangeKind.CREATE]
    assert [(fact[0], fact[2]) for fact in world.facts()] == [("alice", 10_000_000), ("bob", 300_000)]


def test_a_policy_changed_in_the_file_is_changed_on_the_channel():
    """Without another channel."""
    world = World(line(2))
    world.raise_network()

    raised = world.raise_network(block=line(2, policies={"alice": {"fee_rate": 42}}))

    assert [change.kind for change in raised.changes] == [ChangeKind.UPDATE]
    assert world.facts() == [("alice", "bob", 10_000_000, 5_000_000, False, 42)]


@pytest.mark.parametrize("life", range(130))
def test_a_run_killed_anywhere_is_taken_up_where_it_stopped(life: int):
    """Never a channel twice, never one too few, and nobody's balance is spoilt."""
    world = World(RICH)
    left = [life]
    with contextlib.suppress(KilledError):
        world.raise_network(lambda inner: Mortal(inner, left))

    world.raise_network()

    assert world.facts() == RICH_FACTS
    assert [[coin.amount for coin in node.coins()] for node in world.nodes.values()] == [[100_000_000]] * 3


def test_without_probes_nothing_is_paid():
    """The block says so."""
    world = World(network(("a", "b"), {"from": "a", "to": "b", "capacity": "100_000 sat"}, probe="none"))

    world.raise_network()

    assert (world.steps[-1], world.lightning.invoices) == ("network/gossip", {})


def test_a_policy_that_a_node_has_missed_is_said_again():
    """Its end sets it once more, as it is; nothing else changes."""
    world = World(line(3))
    said: list[str] = []
    world.raise_network(lambda inner: Forgetful(inner, said) if isinstance(inner, FakeNode) else inner)

    assert said == [world.lightning.links[0].point]
    assert [fact[:2] for fact in world.facts()] == [("alice", "bob"), ("bob", "carol")]


@pytest.mark.parametrize("relearns", [False, True], ids=["parting", "relearning"])
def test_a_node_that_has_missed_a_channel_asks_its_peers_anew(relearns: bool):
    """By parting from them and coming back, where it knows no other way; and it is connected to them afterwards."""
    world = World(line(3))
    asked: list[str] = []
    kind = Relearner if relearns else Deaf
    world.raise_network(lambda inner: kind(inner, asked) if isinstance(inner, FakeNode) else inner)

    assert asked == ["carol"]
    assert [fact[:2] for fact in world.facts()] == [("alice", "bob"), ("bob", "carol")]
    assert world.nodes["bob"].pubkey in world.nodes["carol"].peers()


class Deaf:
    """Passes calls on to a node. Carol does not hear of the first channel until she has parted from somebody."""

    def __init__(self, inner: FakeNode, asked: list[str]) -> None:
        self._inner, self._asked = inner, asked

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def disconnect(self, pubkey: str) -> None:
        self._asked.append(self._inner.name)
        self._inner.disconnect(pubkey)

    def edges(self) -> tuple[Edge, ...]:
        edges = self._inner.edges()
        is_deaf = self._inner.name == "carol" and not self._asked
        return tuple(edge for edge in edges if not is_deaf or self._inner.pubkey in edge.ends)


class Relearner(Deaf):
    """As `Deaf`, and has a way of its own to ask; then nobody is connected to it."""

    def relearn(self) -> None:
        for peer in self._inner.peers():
            self._inner.disconnect(peer)
        self._asked.append(self._inner.name)


class Forgetful:
    """Passes calls on to a node. Nobody but alice knows her policy of the first channel until she has set it."""

    def __init__(self, inner: FakeNode, said: list[str]) -> None:
        self._inner, self._said = inner, said

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def edges(self) -> tuple[Edge, ...]:
        """Return what it has not missed."""
        if self._said or self._inner.name == "alice":
            return self._inner.edges()
        alice = self._inner.edges()[:1]
        return tuple(replace(edge, policies=(None, edge.policies[1])) for edge in alice) + self._inner.edges()[1:]

    def set_policy(self, point: str, policy: Policy) -> None:
        """Remember that it was said."""
        self._said.append(point)
        self._inner.set_policy(point, policy)


def test_an_impossible_network_is_refused_before_anything_is_done():
    """With the first reason in the sentence and the others below."""
    world = World(line(2))

    with pytest.raises(InputError) as refused:
        world.raise_network(block=line(2, push="100%"))

    assert refused.value.code == "network-impossible"
    assert world.lightning.links == []
