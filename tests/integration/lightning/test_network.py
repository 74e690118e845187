"""Networks of real lnd nodes, raised from nothing and after being killed on the way."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from cartridge.errors import ApplyError
from cartridge.journal.events import StepEnded
from cartridge.lightning.matching import match
from cartridge.lightning.nodes.node import NodeChannel, Policy
from cartridge.lightning.observation import observe
from cartridge.lightning.resume import Member, resume
from cartridge.lightning.topology import funding, keys
from cartridge.plan.change import ChangeKind
from cartridge.probes import bitcoind, lnd
from cartridge.probes.wait import until
from tests.doubles.networks import line, network
from tests.integration.lightning.conftest import Make
from tests.integration.lightning.raw import RawStack

pytestmark = pytest.mark.lightning


class KilledError(BaseException):
    """The caller is gone."""


def channels(stack: RawStack) -> dict[str, NodeChannel]:
    """Return the network's channels by name, as their openers see them."""
    return {key.name: channel for key, channel in match(stack.network, observe(stack.handles().nodes)).items()}


def opened(stack: RawStack) -> int:
    """Return how many channels all nodes have opened, the network's or not."""
    return sum(channel.initiator for node in stack.handles().nodes.values() for channel in node.channels())


def balances(stack: RawStack) -> dict[str, int]:
    """Return what each wallet holds, in satoshis."""
    return {name: sum(coin.amount for coin in node.coins()) for name, node in stack.handles().nodes.items()}


def kill_at(stack: RawStack, step: str) -> None:
    """Let the next run end, as by a kill, when this step is done."""

    def listen(entry: object) -> None:
        event = getattr(entry, "event", None)
        if isinstance(event, StepEnded) and event.step == step:
            raise KilledError

    stack.listeners.append(listen)


def go_on_as_it_is(stack: RawStack) -> None:
    """Do what follows a start from a snapshot."""
    nodes = stack.handles().nodes
    members = {name: Member(node, node.info().pubkey, stack.address(name, "p2p")) for name, node in nodes.items()}
    resume(members, stack.recorder, stack.patience)


def test_a_network_becomes_as_written(make: Make):
    """Two channels between the same nodes, a private one, policies of both ends, a small balance."""
    block = network(
        ("alice", "bob", "carol"),
        {
            "from": "alice",
            "to": "bob",
            "capacity": "5_000_000 sat",
            "push": "25%",
            "policies": {
                "alice": {"base_fee": "7 sat", "fee_rate": 77},
                "bob": {"fee_rate": 500, "time_lock_delta": 40, "min_htlc": "2 sat", "max_htlc": "1_000_000 sat"},
            },
        },
        {"from": "alice", "to": "bob", "capacity": "5_000_000 sat"},
        {"from": "carol", "to": "bob", "capacity": "200_000 sat", "push": "50_000 sat", "private": True},
        balances={"bob": "1_234_567 sat"},
    )
    stack = make(block)

    stack.up()

    found = channels(stack)
    assert {name: (one.capacity, one.remote, one.private, one.active) for name, one in found.items()} == {
        "alice-bob-0": (5_000_000, 1_250_000, False, True),
        "alice-bob-1": (5_000_000, 0, False, True),
        "carol-bob-0": (200_000, 50_000, True, True),
    }
    assert balances(stack) == {"alice": 100_000_000, "bob": 1_234_567, "carol": 100_000_000}
    alice, bob = (observe(stack.handles().nodes)[name] for name in ("alice", "bob"))
    point = found["alice-bob-0"].point
    for one in observe(stack.handles().nodes).values():
        mine, theirs = one.policies[point, alice.pubkey], one.policies[point, bob.pubkey]
        assert (mine.base_fee, mine.fee_rate) == (7_000, 77)
        assert theirs == Policy(theirs.base_fee, 500, 40, 2_000, 1_000_000_000)


def test_nothing_is_done_to_a_network_that_is_as_written(make: Make):
    """Not even a block is mined."""
    stack = make(line(2))
    stack.up()
    tip = stack.chain.tip()

    again = stack.raise_network()

    assert ({change.kind for change in again.changes}, stack.chain.tip()) == ({ChangeKind.KEEP}, tip)


@pytest.mark.parametrize("step", ["connect", "coins", "open", "confirm", "gossip"])
def test_a_run_killed_after_any_step_is_taken_up_there(make: Make, step: str):
    """One channel in the end, with its split, and balances as written."""
    stack = make(line(2))
    kill_at(stack, f"network/{step}")
    with pytest.raises(KilledError):
        stack.up()
    stack.listeners.clear()

    stack.raise_network()

    assert opened(stack) == 1
    assert [(one.remote, one.active) for one in channels(stack).values()] == [(5_000_000, True)]
    assert balances(stack) == {"alice": 100_000_000, "bob": 100_000_000}


def test_nodes_killed_with_a_channel_unconfirmed_come_back_to_it(make: Make):
    """lnd and its peer are started again on the same data and ports."""
    stack = make(line(2))
    kill_at(stack, "network/open")
    with pytest.raises(KilledError):
        stack.up()
    stack.listeners.clear()
    for name in stack.network.nodes:
        stack.kill(name)

    stack.start_nodes()
    stack.raise_network()

    assert opened(stack) == 1
    assert [(one.remote, one.active) for one in channels(stack).values()] == [(5_000_000, True)]


def test_nodes_that_were_paid_and_never_started_are_not_paid_again(make: Make):
    """The files are lost with the run; the coins are on the chain."""
    stack = make(line(2))
    lost = stack.genesis()
    stack.start_bitcoind()
    lost.pay(stack.chain)

    again = stack.genesis()
    again.pay(stack.chain)
    stack.seed(again)
    stack.start_nodes()
    stack.raise_network()

    assert balances(stack) == {"alice": 100_000_000, "bob": 100_000_000}


def test_a_node_made_again_knows_which_of_its_coins_are_spent(make: Make):
    """What its keys were paid is in its wallet from the start, but for the coin that is a channel now."""
    channel = {"from": "alice", "to": "bob", "capacity": "1_000_000 sat"}
    stack = make(network(("alice", "bob"), channel, balances={"alice": "250_000 sat"}))
    stack.up()
    stack.kill("alice")
    shutil.rmtree(stack.data("alice"))

    genesis = stack.genesis()
    genesis.pay(stack.chain)
    stack.seed(genesis)
    stack.start_node("alice")
    stack.wait_node("alice")

    coins = stack.handles().nodes["alice"].coins()
    places = [coin.outpoint.split(":") for coin in coins]
    assert all(stack.rpc.call("gettxout", txid, int(index)) is not None for txid, index in places)
    assert sorted(coin.amount for coin in coins) == sorted(funding(stack.network)["alice"])


def test_a_channel_added_to_a_live_network_is_paid_for_and_opened(make: Make):
    """The one that is there stays."""
    stack = make(line(2))
    before = stack.up().points
    stack.network = network(
        ("alice", "bob"),
        {"from": "alice", "to": "bob", "capacity": "10_000_000 sat", "push": "50%"},
        {"from": "bob", "to": "alice", "capacity": "300_000 sat", "push": "10%"},
    )

    after = stack.raise_network()

    assert [change.kind for change in after.changes] == [ChangeKind.KEEP, ChangeKind.CREATE]
    assert after.points["channel/alice-bob-0"] == before["channel/alice-bob-0"]
    assert channels(stack)["bob-alice-0"].remote == 30_000
    assert len(keys(stack.network)) == opened(stack) == 2


@pytest.mark.slow
@pytest.mark.parametrize("go_on", [go_on_as_it_is, RawStack.raise_network])
def test_a_network_that_goes_on_pays_over_channels_that_were_said_to_be_down(
    make: Make, go_on: Callable[[RawStack], object]
):
    """A node whose peer is away says so to everybody, and that it is back a second after it is."""
    stack = make(line(3))
    stack.up()
    one, _, last = stack.network.nodes
    nodes = stack.handles().nodes
    stack.kill(last)
    until(
        lambda: any(edge.disabled for edge in nodes[one].edges()), "the channel to be said to be down", stack.patience
    )
    stack.start_node(last)
    stack.wait_node(last)

    go_on(stack)

    paid = nodes[one].pay(nodes[last].invoice(1_000_000).request, fee_limit=10_000)
    assert paid.hops == 2


@pytest.mark.parametrize("nodes", [3, 5])
def test_a_payment_crosses_a_line(make: Make, nodes: int):
    """From one end to the other and back, at once."""
    stack = make(line(nodes))
    stack.up()
    ends = list(stack.handles().nodes.values())
    first, last = ends[0], ends[-1]

    there = first.pay(last.invoice(1_000_000).request, fee_limit=100_000)
    back = last.pay(first.invoice(1_000_000).request, fee_limit=100_000)

    assert (there.amount, there.hops, back.hops) == (1_000_000, nodes - 1, nodes - 1)


def test_a_stranger_at_a_nodes_port_is_not_believed(make: Make):
    """Bob is a real lnd, but he is not alice; nor is a bitcoind with other data this one."""
    stack = make(line(2))
    stack.up()
    alice, bob = stack.rest("alice").identity, stack.rest("bob").identity
    port = stack.ports["bob", "rest"]

    rpc = ("127.0.0.1", stack.ports["bitcoind", "rpc"])
    strangers: dict[str, Callable[[], None]] = {
        "other key": lambda: lnd.ready(lnd.LndRest("alice", "127.0.0.1", port, alice), stack.patience),
        "other identity": lambda: lnd.ready(
            lnd.LndRest("alice", "127.0.0.1", port, lnd.Identity(alice.pubkey, bob.certificate, bob.macaroon)),
            stack.patience,
        ),
        "other folder": lambda: bitcoind.ready(stack.rpc, "/somewhere/else", stack.patience),
        "other password": lambda: bitcoind.ready(
            bitcoind.BitcoindRpc(*rpc, bitcoind.Credentials("cartridge", "guessed")),
            str(stack.data("bitcoind")),
            stack.patience,
        ),
    }

    codes = {}
    for name, ask in strangers.items():
        with pytest.raises(ApplyError) as foreign:
            ask()
        codes[name] = foreign.value.code

    assert codes == {
        "other key": "lnd-foreign",
        "other identity": "lnd-foreign",
        "other folder": "bitcoind-foreign",
        "other password": "bitcoind-foreign",
    }


def test_the_same_names_give_the_same_nodes(make: Make):
    """On another chain, another day."""
    identities = []
    for _ in range(2):
        stack = make(line(2, private=False))
        genesis = stack.genesis()
        stack.start_bitcoind()
        genesis.pay(stack.chain)
        identities.append({name: genesis.files(name)["identity.pubkey"] for name in stack.network.nodes})

    assert identities[0] == identities[1]
    assert len(set(identities[0].values())) == 2
