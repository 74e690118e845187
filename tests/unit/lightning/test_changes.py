"""The choreography on a network that is up: what is no longer asked for is closed, the rest becomes as written."""

from __future__ import annotations

import contextlib
import threading

import pytest

from cartridge.clock import SystemClock
from cartridge.errors import ApplyError
from cartridge.journal.recorder import Recorder
from cartridge.lightning.choreography import let_go
from cartridge.lightning.matching import Former
from cartridge.lightning.nodes.node import Opening
from cartridge.lightning.run import Handles
from cartridge.plan.change import Change, ChangeKind
from cartridge.probes.wait import Patience
from tests.doubles.lightning_world import KilledError, Mortal, Unwilling, World
from tests.doubles.networks import network

NAMES = ("alice", "bob", "carol")
ALICE_BOB = {"from": "alice", "to": "bob", "capacity": "1_000_000 sat", "push": "50%"}
BOB_CAROL = {"from": "bob", "to": "carol", "capacity": "500_000 sat", "push": "50%"}


def raised(*channels: dict[str, object]) -> World:
    """Return a network of three nodes with these channels that is up."""
    world = World(network(NAMES, *channels))
    world.raise_network()
    world.steps = []
    return world


def test_a_channel_nobody_asks_for_is_closed():
    """Both ends have their money, and the rest is not touched."""
    world = raised(ALICE_BOB, BOB_CAROL)

    done = world.raise_network(block=network(NAMES, ALICE_BOB))

    assert done.changes == (
        Change(ChangeKind.DELETE, "channel/bob-carol-0", "nobody asks for it: it is closed"),
        Change(ChangeKind.KEEP, "channel/alice-bob-0", "it is as written"),
    )
    assert world.facts() == [("alice", "bob", 1_000_000, 500_000, False, 1)]
    assert sorted(coin.amount for coin in world.nodes["carol"].coins()) == [250_000, 100_000_000]


def test_another_capacity_is_another_channel():
    """The old one is closed before the new one is opened."""
    world = raised(ALICE_BOB)

    world.raise_network(block=network(NAMES, {**ALICE_BOB, "capacity": "2_000_000 sat"}))

    assert world.facts() == [("alice", "bob", 2_000_000, 1_000_000, False, 1)]
    assert world.steps[:2] == ["network/close", "network/connect"]


def test_a_channel_becomes_private_by_being_opened_anew():
    """Its capacity is what it was."""
    world = raised(ALICE_BOB)

    world.raise_network(block=network(NAMES, {**ALICE_BOB, "private": True}))

    assert world.facts() == [("alice", "bob", 1_000_000, 500_000, True, 1)]


def test_another_split_is_a_payment():
    """Over that channel, in the one direction or the other; nothing is opened."""
    world = raised(ALICE_BOB)
    points = [link.point for link in world.lightning.links]

    world.raise_network(
        block=network(NAMES, {**ALICE_BOB, "push": "20%"}), former=Former(balance=frozenset({"alice-bob-0"}))
    )

    assert world.facts() == [("alice", "bob", 1_000_000, 200_000, False, 1)]
    assert [link.point for link in world.lightning.links] == points


def test_a_split_that_moved_by_use_is_left_alone():
    """Nobody wrote another push, so nothing is wrong."""
    world = raised(ALICE_BOB)
    request = world.nodes["bob"].invoice(70_000_000).request
    world.nodes["alice"].pay(request, fee_limit=0)

    world.raise_network()

    assert world.facts() == [("alice", "bob", 1_000_000, 570_000, False, 1)]
    assert world.steps == []


def test_the_first_of_two_goes_and_the_second_stays_though_its_number_changes():
    """What a channel is counts, not how many were written before it."""
    small = {**ALICE_BOB, "capacity": "300_000 sat"}
    world = raised(ALICE_BOB, small)
    stays = next(link.point for link in world.lightning.links if link.capacity == 300_000)

    done = world.raise_network(block=network(NAMES, small))

    assert done.points == {"channel/alice-bob-0": stays}
    assert [link.point for link in world.lightning.links] == [stays]


def test_of_two_alike_the_one_that_is_known_to_stay_stays():
    """The memory of the last run says which."""
    world = raised(ALICE_BOB, ALICE_BOB)
    stays = world.lightning.links[1].point

    world.raise_network(block=network(NAMES, ALICE_BOB), former=Former(points={"alice-bob-0": stays}))

    assert [link.point for link in world.lightning.links] == [stays]


def test_what_must_go_goes_even_if_it_looks_as_written_and_only_once():
    """A run that was killed after it finds the new one, and keeps it."""
    world = raised(ALICE_BOB)
    former = Former(drop=frozenset({world.lightning.links[0].point}))
    world.raise_network(former=former)
    new = world.lightning.links[0].point

    world.raise_network(former=former)

    assert new not in former.drop
    assert [link.point for link in world.lightning.links] == [new]


def test_what_a_stranger_opened_is_left_alone():
    """It has no name of ours."""
    world = raised(ALICE_BOB)
    alice, bob = world.nodes["alice"], world.nodes["bob"]
    coin = max(alice.coins(), key=lambda one: one.amount)
    alice.open(Opening(peer=bob.info().pubkey, capacity=70_000, push=0, coin=coin.outpoint, memo=""))
    world.chain.mine(6)

    world.raise_network(block=network(NAMES))

    assert [link.capacity for link in world.lightning.links] == [70_000]


def test_channels_of_a_node_that_leaves_are_closed_while_it_runs():
    """The others keep theirs."""
    world = raised(ALICE_BOB, BOB_CAROL)
    handles = Handles(world.chain, world.nodes, {name: f"{name}:9735" for name in ("alice", "bob")})
    clock = SystemClock()
    patience = Patience.of(clock, 10.0, threading.Event())

    closed = let_go({"carol"}, network(("alice", "bob"), ALICE_BOB), handles, Recorder(clock), patience)

    assert closed == 1
    assert world.facts() == [("alice", "bob", 1_000_000, 500_000, False, 1)]


def test_channels_to_a_node_that_is_gone_are_closed_by_force():
    """Nobody is there to agree."""
    world = raised(ALICE_BOB, BOB_CAROL)
    gone = {"carol": world.nodes["carol"].info().pubkey}
    world.lightning.connected = {pair for pair in world.lightning.connected if gone["carol"] not in pair}

    world.raise_network(block=network(("alice", "bob"), ALICE_BOB), former=Former(gone=gone))

    assert world.facts() == [("alice", "bob", 1_000_000, 500_000, False, 1)]


def test_two_ends_that_do_not_agree_are_reported_and_force_is_an_answer():
    """The sentence names them, and the flag that helps."""
    world, fewer = raised(ALICE_BOB, BOB_CAROL), network(NAMES, ALICE_BOB)

    with pytest.raises(ApplyError) as refused:
        world.raise_network(Unwilling, block=fewer, within=0.5)
    world.raise_network(Unwilling, block=fewer, former=Former(force=True), within=0.5)

    assert (refused.value.code, refused.value.brief) == (
        "close-refused",
        "`bob` and `carol` do not agree to close `bob-carol-0`",
    )
    assert world.facts() == [("alice", "bob", 1_000_000, 500_000, False, 1)]


CHANGED = network(
    NAMES,
    {**ALICE_BOB, "push": "20%", "policies": {"bob": {"fee_rate": 9}}},
    {**BOB_CAROL, "capacity": "700_000 sat"},
    {"from": "carol", "to": "alice", "capacity": "200_000 sat"},
)
CHANGED_FACTS = [
    ("alice", "bob", 1_000_000, 200_000, False, 1),
    ("bob", "carol", 700_000, 350_000, False, 1),
    ("carol", "alice", 200_000, 0, False, 1),
]


@pytest.mark.parametrize("life", range(0, 150, 3))
def test_a_change_killed_anywhere_is_taken_up_where_it_stopped(life: int):
    """Never a channel twice, never one too many, and no money is lost."""
    world = raised(ALICE_BOB, BOB_CAROL, {"from": "alice", "to": "carol", "capacity": "400_000 sat"})
    former, left = Former(balance=frozenset({"alice-bob-0"})), [life]
    with contextlib.suppress(KilledError):
        world.raise_network(lambda inner: Mortal(inner, left), block=CHANGED, former=former)

    world.raise_network(block=CHANGED, former=former)

    assert world.facts() == CHANGED_FACTS
    bobs = next(link for link in world.lightning.links if link.capacity == 1_000_000)
    assert bobs.policies[world.nodes["bob"].pubkey].fee_rate == 9
