"""What a network block asks for, compared with what is there."""

from msgspec.structs import replace

from cartridge.lightning.impossible import Problem, problems
from cartridge.lightning.matching import match
from cartridge.lightning.nodes.node import NodeChannel, Policy
from cartridge.lightning.planning import NetworkPlan, PolicyChange, plan_network
from cartridge.lightning.topology import (
    ChannelKey,
    Seen,
    funding,
    links,
    pushed,
)
from cartridge.plan.change import Change, ChangeKind
from tests.doubles.networks import network

ALICE_BOB = {"from": "alice", "to": "bob", "capacity": "1_000_000 sat"}
KEY = ChannelKey("alice", "bob", "alice-bob-0", 1_000_000)
DEFAULT = Policy(base_fee=1_000, fee_rate=1, time_lock_delta=80, min_htlc=1_000, max_htlc=990_000_000)

OPEN = NodeChannel(
    point="f00d:0",
    peer="02b0b",
    capacity=1_000_000,
    local=500_000,
    remote=500_000,
    local_reserve=10_000,
    remote_reserve=10_000,
    initiator=True,
    private=False,
    pending=False,
    confirmations_missing=0,
    active=True,
    scid=7,
    memo="alice-bob-0",
)
KNOWN = {("f00d:0", "02a11ce"): DEFAULT, ("f00d:0", "02b0b"): DEFAULT}


def seen(*channels: NodeChannel, policies: dict[tuple[str, str], Policy] | None = None) -> dict[str, Seen]:
    """Return what alice (who sees these channels) and bob, at their other end, look like."""
    known = (KNOWN if channels else {}) if policies is None else policies
    theirs = (replace(one, peer="02a11ce", initiator=not one.initiator, memo="") for one in channels)
    return {
        "alice": Seen("02a11ce", channels=channels, policies=known),
        "bob": Seen("02b0b", channels=tuple(theirs), policies=known),
    }


def test_a_missing_channel_is_opened():
    """Nothing is there yet."""
    block = network(("alice", "bob"), ALICE_BOB)

    assert plan_network(block, seen()) == NetworkPlan(
        open=((KEY, block.channels[0]),),
        confirm=(),
        policies=(),
        mend=(),
        changes=(Change(ChangeKind.CREATE, "channel/alice-bob-0", "it does not exist"),),
    )


def test_a_network_that_is_as_written_is_left_alone():
    """Doing nothing is a change with a reason too."""
    plan = plan_network(network(("alice", "bob"), ALICE_BOB), seen(OPEN))

    assert plan.is_empty
    assert plan.changes == (Change(ChangeKind.KEEP, "channel/alice-bob-0", "it is as written"),)


def test_a_channel_that_pends_is_confirmed_and_not_opened_again():
    """A killed run may have left it so."""
    pending = replace(OPEN, pending=True, confirmations_missing=1, active=False, scid=0)

    plan = plan_network(network(("alice", "bob"), ALICE_BOB), seen(pending))

    assert (plan.open, plan.confirm) == ((), (KEY,))


def test_a_channel_one_node_has_not_heard_of_is_not_finished():
    """Active at its ends is not ready."""
    plan = plan_network(network(("alice", "bob"), ALICE_BOB), seen(OPEN, policies={}))

    assert plan.confirm == (KEY,)


def test_channels_alike_are_told_apart_by_their_number():
    """Two are wanted, one is there: one is opened."""
    block = network(("alice", "bob"), ALICE_BOB, ALICE_BOB)

    plan = plan_network(block, seen(OPEN))

    assert [str(key) for key, _ in plan.open] == ["channel/alice-bob-1"]


def test_a_channel_somebody_else_opened_is_not_taken_for_ours():
    """The opener counts, the capacity, and the name it was opened with."""
    block = network(("alice", "bob"), ALICE_BOB)

    assert match(block, seen(replace(OPEN, initiator=False))) == {}
    assert match(block, seen(replace(OPEN, capacity=999_999))) == {}
    assert match(block, seen(replace(OPEN, memo=""))) == {}


def test_a_policy_that_is_not_as_written_is_set_and_what_was_left_out_may_be_anything():
    """Only bob's fee differs from what is known."""
    written = {"alice": {"fee_rate": 1}, "bob": {"base_fee": "5 msat"}}
    block = network(("alice", "bob"), {**ALICE_BOB, "policies": written})

    plan = plan_network(block, seen(OPEN))

    assert plan.policies == (PolicyChange(KEY, "bob", block.channels[0].policies["bob"], DEFAULT),)
    assert plan.changes == (
        Change(ChangeKind.UPDATE, "channel/alice-bob-0", "`bob`'s base_fee is 1 sat and not 5 msat"),
    )


def test_only_its_ends_must_know_a_private_channel():
    """Carol never hears of it."""
    block = network(("alice", "bob", "carol"), {**ALICE_BOB, "private": True})

    assert plan_network(block, {**seen(replace(OPEN, private=True)), "carol": Seen("02ca01")}).is_empty


def test_each_node_gets_its_balance_and_a_coin_for_each_channel_it_opens():
    """A coin holds the capacity and a fee that leaves no change, in satoshis."""
    block = network(("alice", "bob"), ALICE_BOB, {**ALICE_BOB, "capacity": "50_000 sat"})

    assert funding(block) == {"alice": (100_000_000, 1_000_140, 50_140), "bob": (100_000_000,)}


def test_what_is_pushed_is_a_share_or_an_amount():
    """In satoshis."""
    block = network(("a", "b"), {"from": "a", "to": "b", "capacity": "100_001 sat", "push": "50%"})
    fixed = network(("a", "b"), {"from": "a", "to": "b", "capacity": "100_001 sat", "push": "7 sat"})

    assert (pushed(block.channels[0]), pushed(fixed.channels[0])) == (50_000, 7)


def test_what_lnd_would_refuse_is_found_before_anything_starts():
    """All of it at once, each with the path to the value."""
    block = network(
        ("alice", "bob"),
        {"from": "alice", "to": "bob", "capacity": "19_999 sat"},
        {"from": "alice", "to": "bob", "capacity": "100_000 sat", "push": "100%"},
        {"from": "bob", "to": "alice", "capacity": "100_000_001 msat"},
        balances={"alice": "19_999 sat"},
    )

    found = [(problem.path, problem.code) for problem in problems(block)]

    assert found == [
        (("channels", 2, "capacity"), "amount-not-whole"),
        (("channels", 0, "capacity"), "capacity-out-of-range"),
        (("channels", 1, "push"), "push-too-large"),
        (("nodes", "alice", "balance"), "balance-too-low"),
    ]
    assert isinstance(problems(block)[0], Problem)


def test_parts_that_no_channel_joins_are_linked_at_their_first_nodes():
    parted = network(("a", "b", "c", "d", "e"), {**ALICE_BOB, "from": "b", "to": "d"})

    assert links(parted) == {("a", "b"), ("b", "c"), ("c", "e")}
    assert links(network(("alice", "bob"), ALICE_BOB)) == set()


def test_a_time_lock_that_lnd_refuses_is_found_before_anything_starts():
    short = network(("alice", "bob"), {**ALICE_BOB, "policies": {"alice": {"time_lock_delta": 20}}})

    assert problems(short) == (
        Problem(
            ("channels", 0, "policies", "alice", "time_lock_delta"),
            "time-lock-too-short",
            "`alice` cannot ask for a time lock of 20 blocks",
            "write 24 or more: lnd takes no fewer",
        ),
    )
