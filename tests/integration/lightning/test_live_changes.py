"""A network that is up is changed by its document, and mended where somebody changed it by hand; never rebuilt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from cartridge.clock import SystemClock
from cartridge.errors import CartridgeError
from cartridge.lightning.nodes.node import Opening
from cartridge.probes.wait import Patience, until
from tests.integration.lightning.live import LiveNetwork, live_network
from tests.scenarios import world

pytestmark = [pytest.mark.lightning, pytest.mark.slow]

CLOCK = SystemClock()
ALICE_BOB = "from: alice, to: bob, capacity: 1_000_000 sat, push: 50%"
BOB_CAROL = "from: bob, to: carol, capacity: 1_000_000 sat, push: 50%"
ALICE_DAVE = "from: alice, to: dave, capacity: 200_000 sat"
ALICE_CAROL = "from: alice, to: carol, capacity: 500_000 sat, push: 50%"


@pytest.fixture
def live() -> Iterator[LiveNetwork]:
    """A network of local processes."""
    with live_network("process") as made:
        yield made


def test_a_network_becomes_what_is_written_now_while_it_runs(everywhere: LiveNetwork) -> None:
    """A channel closed, one of another size, a policy, a split, and a node that comes; then one that goes."""
    live = everywhere
    live.write(ALICE_BOB, BOB_CAROL, ALICE_CAROL)
    live.up()
    before = {name: node.info().pubkey for name, node in live.nodes().items()}
    live.write(
        "from: alice, to: bob, capacity: 1_000_000 sat, push: 20%, policies: {bob: {fee_rate: 7}}",
        "from: bob, to: carol, capacity: 2_000_000 sat, push: 50%",
        "from: carol, to: dave, capacity: 300_000 sat, private: true",
        nodes=("alice", "bob", "carol", "dave"),
    )

    planned, _ = live.plan()
    live.up()
    after, drift = live.plan("--refresh")

    assert planned == {
        "component/dave": "create: it does not exist yet",
        "channel/alice-carol-0": "delete: the network no longer has it: it is closed",
        "channel/alice-bob-0": (
            "update: `bob`'s fee_rate changes to 7 ppm; "
            "its push changed from 50% to 20%: a payment moves the difference"
        ),
        "channel/bob-carol-0": (
            "replace: its capacity changed from 1_000_000 sat to 2_000_000 sat: it is closed, and another one opened"
        ),
        "channel/carol-dave-0": "create: it is not open yet",
    }
    assert live.channels() == {
        "alice-bob-0": (1_000_000, 200_000, False),
        "bob-carol-0": (2_000_000, 1_000_000, False),
        "carol-dave-0": (300_000, 0, True),
    }
    assert (after, drift) == ({}, {})
    live.write("from: alice, to: bob, capacity: 1_000_000 sat, push: 20%", nodes=("alice", "bob", "dave"))
    planned, _ = live.plan()
    live.up()
    assert planned == {
        "channel/bob-carol-0": "delete: `carol` leaves: it is closed before",
        "channel/carol-dave-0": "delete: `carol` leaves: it is closed before",
        "component/carol": "delete: the stack no longer has it",
    }
    assert live.channels() == {"alice-bob-0": (1_000_000, 200_000, False)}
    assert {name: node.info().pubkey for name, node in live.nodes().items() if name != "dave"} == {
        name: pubkey for name, pubkey in before.items() if name != "carol"
    }
    assert live.plan("--refresh") == ({}, {})


def test_what_was_done_by_hand_is_seen_and_mended(live: LiveNetwork) -> None:
    """A channel closed by force, one closed by agreement, a policy; what a stranger opened is left alone."""
    live.write(ALICE_BOB, f"{BOB_CAROL}, policies: {{bob: {{fee_rate: 7}}}}", ALICE_CAROL)
    live.up()
    nodes, points = live.nodes(), {name: one.point for name, one in live.state().channels.items()}
    nodes["alice"].close(points["alice-bob-0"], force=True)
    nodes["carol"].close(points["alice-carol-0"])
    (end,) = [one for one in nodes["bob"].edges() if one.point == points["bob-carol-0"]]
    policy = end.policy(nodes["bob"].info().pubkey)
    assert policy is not None
    nodes["bob"].set_policy(points["bob-carol-0"], type(policy)(1, 999, 80, policy.min_htlc, policy.max_htlc))
    nodes["alice"].open(Opening(nodes["carol"].info().pubkey, 100_000, 0, "", memo=""))
    until(lambda: len(live.plan("--refresh")[1]) == 3, "the policy to be seen", Patience.of(CLOCK, 20.0))

    planned, drift = live.plan("--refresh")
    live.up("--refresh")

    assert planned == {}
    assert drift == {
        "channel/alice-bob-0": "create: somebody closed it by force: `up --refresh` opens it again",
        "channel/alice-carol-0": "create: somebody closed it by agreement of its ends: `up --refresh` opens it again",
        "channel/bob-carol-0": "update: `bob`'s fee_rate is 999 ppm and not 7 ppm",
    }
    assert live.plan("--refresh") == ({}, {})
    assert live.channels() == {
        "alice-bob-0": (1_000_000, 500_000, False),
        "bob-carol-0": (1_000_000, 500_000, False),
        "alice-carol-0": (500_000, 250_000, False),
        "": (100_000, 0, False),
    }


def test_a_dead_node_is_seen_and_may_leave(live: LiveNetwork) -> None:
    """Nobody can agree with it: its channels are closed by force."""
    live.write(ALICE_BOB, BOB_CAROL)
    live.up()
    world.kill(world.processes(live.state().stack, "carol"))

    _, drift = live.plan("--refresh")
    live.write(ALICE_BOB, nodes=("alice", "bob"))
    live.up()

    assert drift == {
        "component/carol": "start: it ended with status -9",
        "channel/bob-carol-0": "start: `carol` does not run",
    }
    assert live.channels() == {"alice-bob-0": (1_000_000, 500_000, False)}
    assert live.plan("--refresh") == ({}, {})


MOMENTS = (
    "step-started network/close",
    "step-ended network/close",
    "step-started remove",
    "step-ended network/open",
    "step-ended network/balance",
)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_change_that_is_killed_is_taken_up_by_the_next_up(live: LiveNetwork, moment: str) -> None:
    """Whatever was closed, removed or opened by then."""
    live.write(
        ALICE_BOB, BOB_CAROL, "from: alice, to: dave, capacity: 200_000 sat", nodes=("alice", "bob", "carol", "dave")
    )
    live.up()
    live.write(
        "from: alice, to: bob, capacity: 1_000_000 sat, push: 20%", "from: bob, to: carol, capacity: 700_000 sat"
    )

    with live.project.held("up", "--fresh") as run:
        came = run.until(moment)
        run.kill()
    live.up()

    assert came
    assert live.channels() == {"alice-bob-0": (1_000_000, 200_000, False), "bob-carol-0": (700_000, 0, False)}
    assert live.plan("--refresh") == ({}, {})
    assert sum(len(node.channels()) for node in live.nodes().values()) == 4


def test_payments_go_on_while_policies_change_and_a_node_leaves(live: LiveNetwork) -> None:
    """None of them waits longer than the change itself takes."""
    live.write(ALICE_BOB, BOB_CAROL)
    live.up()
    with payments(live, "alice", "bob") as gaps:
        began = CLOCK.monotonic()
        live.write(f"{ALICE_BOB}, policies: {{alice: {{fee_rate: 9}}}}", BOB_CAROL)
        live.up()
        policy = CLOCK.monotonic() - began
        began = CLOCK.monotonic()
        live.write(f"{ALICE_BOB}, policies: {{alice: {{fee_rate: 9}}}}", nodes=("alice", "bob"))
        live.up()
        removal = CLOCK.monotonic() - began

    assert len(gaps) > 10
    assert max(gaps) < max(policy, removal)


def test_a_balance_that_grows_is_paid_and_one_that_shrinks_takes_nothing(live: LiveNetwork) -> None:
    """Counted is what was given before: who was given more once is given nothing until that is used up."""
    live.write(nodes=("alice", "bob"), balances={"alice": "1_000_000 sat", "bob": "1_000_000 sat"})
    live.up()
    live.write(nodes=("alice", "bob"), balances={"alice": "1_500_000 sat", "bob": "200_000 sat"})

    planned, _ = live.plan()
    live.up()

    assert planned == {
        "wallet/alice": "update: its balance grows from 1_000_000 sat to 1_500_000 sat: the difference is paid"
    }
    assert live.plan() == ({}, {})
    assert live.wallets() == {"alice": 1_500_000, "bob": 1_000_000}
    live.write(nodes=("alice", "bob"), balances={"alice": "1_500_000 sat", "bob": "1_000_000 sat"})
    live.up()
    assert live.wallets() == {"alice": 1_500_000, "bob": 1_000_000}


@pytest.mark.parametrize("moment", ["step-started network/balances", "step-ended network/balances"])
def test_an_up_that_is_killed_while_it_pays_is_taken_up_and_pays_once(live: LiveNetwork, moment: str) -> None:
    live.write(nodes=("alice", "bob"), balances={"alice": "1_000_000 sat"})
    live.up()
    live.write(nodes=("alice", "bob"), balances={"alice": "1_500_000 sat"})

    with live.project.held("up", "--fresh") as run:
        came = run.until(moment)
        run.kill()
    live.up()

    assert came
    assert live.wallets()["alice"] == 1_500_000
    assert live.state().promised == {}
    assert live.plan() == ({}, {})


def test_an_up_with_nothing_to_do_asks_no_node(live: LiveNetwork) -> None:
    """It says so at once, and a channel that was closed by hand is not looked for."""
    live.write(ALICE_BOB)
    live.up()
    live.nodes()["alice"].close(live.state().channels["alice-bob-0"].point)

    said = live.up()

    assert "nothing changed" in said.stdout
    assert live.channels() == {}


@contextmanager
def payments(live: LiveNetwork, payer: str, payee: str) -> Iterator[list[float]]:
    """Pay a satoshi again and again; give the seconds between two payments that passed."""
    nodes, over, gaps, last = live.nodes(), Event(), list[float](), CLOCK.monotonic()

    def pay() -> None:
        nonlocal last
        while not over.is_set():
            try:
                nodes[payer].pay(nodes[payee].invoice(1_000).request, fee_limit=0, within=2.0)
            except CartridgeError:
                continue
            gaps.append(CLOCK.monotonic() - last)
            last = CLOCK.monotonic()

    stream = Thread(target=pay)
    stream.start()
    try:
        yield gaps
    finally:
        over.set()
        stream.join()
    gaps.append(CLOCK.monotonic() - last)
