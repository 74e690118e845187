"""What every node must do: those in memory, real lnd and LDK, Core Lightning and eclair where they are installed.

Alice has a channel to bob, with a quarter pushed.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from cartridge.artifacts.installed import Installed
from cartridge.clock import SystemClock
from cartridge.errors import ApplyError
from cartridge.journal.recorder import Recorder
from cartridge.lightning.chains.bitcoind import Output
from cartridge.lightning.choreography import raise_network
from cartridge.lightning.nodes.ending import Ending
from cartridge.lightning.nodes.node import (
    FUNDING_FEE,
    Decoded,
    InvoiceState,
    Node,
    NodeChannel,
    NotYetError,
    Opening,
    PaymentError,
    Policy,
)
from cartridge.lightning.run import Handles
from cartridge.lightning.topology import funding
from cartridge.probes.wait import Patience, until
from tests.doubles.chain import FakeChain
from tests.doubles.networks import network
from tests.doubles.node import FakeLightning
from tests.integration.lightning.raw import of_store, raw_stack
from tests.integration.lightning.raw_cln import raw_cln
from tests.integration.lightning.raw_eclair import raw_eclair
from tests.integration.lightning.raw_ldk import raw_ldk

BLOCK = network(("alice", "bob"), {"from": "alice", "to": "bob", "capacity": "1_000_000 sat", "push": "25%"})
CLOSED = 6
"""Confirmations after which everybody takes a closed channel for closed; a big one, by force, at lnd."""
SEEN = {"ldk": 1}
"""Confirmations after which it is looked how long the money of a channel closed by force is locked; else `CLOSED`."""
LEFT = {"eclair": 0, "ldk": CLOSED - 1}
"""Blocks that are left then at least, else more than `CLOSED`. At LDK the other end's closing may be the first to come,
and then six confirmations are all it waits for; eclair does not tell."""
MOST_FEE = 20_000
"""Satoshis a close costs at most: the opener's reserve for a commitment with anchors at a high fee."""
ROUNDING = 2
"""Satoshis that the parts of a payment may be off."""


WITHOUT_HOLD = frozenset({"cln", "eclair"})
"""Implementations that cannot hold a payment."""
ONE_TIME_LOCK = frozenset({"cln", "eclair"})
"""Implementations with one time lock for all channels of a node."""

KEEPS_LIMITS = frozenset({"ldk", "eclair"})
"""Implementations that cannot change what a channel forwards at least and at most."""
HIDES_WAYS = frozenset({"ldk"})
"""Implementations that do not tell which way a payment took, nor in how many parts."""
PAYS_IN_EARNEST = frozenset({"ldk", "eclair"})
"""Implementations that send no payment which nobody can claim."""
SHARES = {"ldk": 10}
"""Which part of a channel can be under way at once, where not all of it can: a tenth."""
DEPTHS = {"ldk": 6, "eclair": 6}
"""Confirmations a channel needs, where one is not enough."""


@dataclass
class Pair:
    """Two nodes with one channel, and their chain."""

    handles: Handles
    implementation: str = "lnd"

    @property
    def depth(self) -> int:
        """Return how many confirmations a channel needs."""
        return DEPTHS.get(self.implementation, 1)

    def moved(self) -> int:
        """Return what alice has paid over the channel, less what came back."""
        return self.channel().sent - self.channel().received

    @property
    def alice(self) -> Node:
        return self.handles.nodes["alice"]

    @property
    def bob(self) -> Node:
        return self.handles.nodes["bob"]

    def channel(self) -> NodeChannel:
        """Return the channel as alice sees it."""
        return next(channel for channel in self.alice.channels() if channel.memo == "alice-bob-0")


@pytest.fixture(
    scope="module",
    params=[
        "fake",
        *(pytest.param(one, marks=pytest.mark.lightning) for one in ("lnd", "cln", "eclair")),
        pytest.param("ldk", marks=(pytest.mark.lightning, pytest.mark.ldk)),
    ],
)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """A raised network of two."""
    if request.param == "fake":
        handles = fake_handles()
        raise_network(BLOCK, handles, Recorder(SystemClock()), patience())
        yield Pair(handles)
        return
    programs: Mapping[str, Installed] = request.getfixturevalue("programs")
    if request.param == "cln":
        with raw_cln(of_store(programs), installed("lightningd"), BLOCK) as handles:
            yield Pair(handles, "cln")
        return
    if request.param == "eclair":
        with raw_eclair(of_store(programs), installed("eclair-node"), BLOCK) as handles:
            yield Pair(handles, "eclair")
        return
    if request.param == "ldk":
        daemon: Installed = request.getfixturevalue("ldk_program")
        with raw_ldk(of_store(programs), daemon.binaries["ldk-regtest"], BLOCK) as handles:
            yield Pair(handles, "ldk")
        return
    with raw_stack(of_store(programs), BLOCK) as stack:
        stack.up()
        yield Pair(stack.handles())


def installed(program: str) -> Path:
    """Return where a program is that the project cannot obtain; where it is not, the test is skipped even in CI."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"`{program}` is not on PATH, and the project has no channel that brings it")
    return Path(found)


def fake_handles() -> Handles:
    """Return two nodes in memory, paid for what they will open."""
    chain = FakeChain()
    world = FakeLightning(chain)
    nodes = {name: world.node(name) for name in BLOCK.nodes}
    chain.premine(1)
    for name, amounts in funding(BLOCK).items():
        chain.pay([Output(nodes[name].new_address(), amount) for amount in amounts])
    return Handles(chain, nodes, {name: f"{name}:9735" for name in nodes})


def patience() -> Patience:
    return Patience.of(SystemClock(), 20.0, threading.Event())


def test_nodes_know_themselves_and_their_peer(pair: Pair):
    """And where the chain is."""
    alice, bob = pair.alice.info(), pair.bob.info()

    assert (pair.alice.peers(), pair.bob.peers()) == ({bob.pubkey}, {alice.pubkey})
    assert (alice.alias, alice.synced, alice.height) == ("alice", True, pair.handles.chain.tip().height)


def test_connecting_to_a_peer_that_is_connected_is_no_error(pair: Pair):
    """Whoever connects need not look first."""
    pair.alice.connect(pair.bob.info().pubkey, pair.handles.addresses["bob"])

    assert pair.bob.info().pubkey in pair.alice.peers()


def test_both_ends_see_one_channel(pair: Pair):
    """Only the opener has its name."""
    mine = pair.channel()
    theirs = next(channel for channel in pair.bob.channels() if channel.point == mine.point)

    assert (mine.capacity, mine.initiator, theirs.initiator, theirs.memo) == (1_000_000, True, False, "")
    assert (mine.remote, theirs.local) == (250_000, 250_000)
    assert mine.active
    assert theirs.active
    assert not mine.pending


def test_a_payment_moves_its_amount_and_says_so(pair: Pair):
    """There, and back for the next test."""
    before, moved = pair.channel(), pair.moved()
    invoice = pair.bob.invoice(5_000_000, "coffee")

    asked = pair.alice.decode(invoice.request)
    paid = pair.alice.pay(invoice.request, fee_limit=0)

    assert asked == Decoded(pair.bob.info().pubkey, 5_000_000, invoice.payment_hash)
    assert (paid.payment_hash, paid.amount, paid.fee, paid.hops) == (
        invoice.payment_hash,
        5_000_000,
        0,
        None if pair.implementation in HIDES_WAYS else 1,
    )
    until(lambda: pair.channel().remote == before.remote + 5_000, "the payment to settle", patience())
    assert pair.moved() == moved + 5_000
    pair.bob.pay(pair.alice.invoice(5_000_000).request, fee_limit=0, through=before.scid)
    until(lambda: pair.moved() == moved, "the payment to settle", patience())
    until(lambda: pair.channel().remote == before.remote, "the split to be as it was", patience())


def test_a_payment_there_is_no_way_for_fails_with_a_reason(pair: Pair):
    """Bob holds less than that."""
    with pytest.raises(PaymentError) as failed:
        pair.bob.pay(pair.alice.invoice(900_000_000).request, fee_limit=0)

    assert failed.value.code == "payment-failed"
    assert failed.value.reason


def test_a_route_can_be_tested_without_moving_anything(pair: Pair):
    """The one that exists; another amount has none."""
    before = pair.channel()
    if pair.implementation in PAYS_IN_EARNEST:
        with pytest.raises(ApplyError) as refused:
            pair.alice.test_route(pair.bob.info().pubkey, 2_000_000, through=before.scid)
        assert refused.value.code == "not-supported"
        return

    pair.alice.test_route(pair.bob.info().pubkey, 2_000_000, through=before.scid)
    with pytest.raises(PaymentError):
        pair.alice.test_route(pair.bob.info().pubkey, 2_000_000_000, through=before.scid)

    after = pair.channel()
    assert (after.remote, after.sent, after.received) == (before.remote, before.sent, before.received)


def test_a_payment_without_an_invoice_arrives(pair: Pair):
    """By the payee's key alone."""
    before = pair.channel()

    paid = pair.alice.keysend(pair.bob.info().pubkey, 7_000_000, fee_limit=0)

    assert (paid.amount, paid.fee, paid.parts) == (7_000_000, 0, 1)
    assert paid.hops == (None if pair.implementation in HIDES_WAYS else 1)
    until(lambda: pair.channel().remote == before.remote + 7_000, "the payment to settle", patience())


def test_what_an_implementation_has_not_is_refused_by_its_name(pair: Pair):
    """Hold invoices, for now."""
    if pair.implementation not in WITHOUT_HOLD:
        pytest.skip("this one has them")

    with pytest.raises(ApplyError) as refused:
        pair.bob.hold_invoice(3_000_000, "33" * 32)

    assert refused.value.code == "not-supported"
    assert "`bob`" in refused.value.brief


def test_a_held_payment_is_taken_when_its_maker_settles_it(pair: Pair):
    """Not before, and he cannot settle what nobody has paid."""
    needs_hold(pair)
    before, preimage = pair.channel(), "11" * 32
    payment_hash = hashlib.sha256(bytes.fromhex(preimage)).hexdigest()
    invoice = pair.bob.hold_invoice(3_000_000, payment_hash, "held")
    with pytest.raises(NotYetError):
        pair.bob.settle(preimage)
    assert pair.bob.invoice_state(payment_hash) is InvoiceState.OPEN

    with ThreadPoolExecutor(1) as pool:
        paying = pool.submit(pair.alice.pay, invoice.request, fee_limit=0)
        until(lambda: pair.bob.invoice_state(payment_hash) is InvoiceState.ACCEPTED, "the payment", patience())
        assert pair.bob.channels()[0].local == before.remote
        pair.bob.settle(preimage)
        paid = paying.result()

    assert (invoice.payment_hash, paid.payment_hash, paid.amount) == (payment_hash, payment_hash, 3_000_000)
    assert pair.bob.invoice_state(payment_hash) is InvoiceState.SETTLED
    until(lambda: pair.channel().remote == before.remote + 3_000, "the payment to settle", patience())


def test_a_held_payment_goes_back_when_its_maker_cancels_it(pair: Pair):
    """And the payer learns that it failed."""
    needs_hold(pair)
    before, payment_hash = pair.channel(), hashlib.sha256(bytes.fromhex("22" * 32)).hexdigest()
    invoice = pair.bob.hold_invoice(3_000_000, payment_hash)

    with ThreadPoolExecutor(1) as pool:
        paying = pool.submit(pair.alice.pay, invoice.request, fee_limit=0)
        until(lambda: pair.bob.invoice_state(payment_hash) is InvoiceState.ACCEPTED, "the payment", patience())
        pair.bob.cancel(payment_hash)
        failed = paying.exception()

    assert isinstance(failed, PaymentError)
    assert failed.code == "payment-failed"
    assert pair.bob.invoice_state(payment_hash) is InvoiceState.CANCELED
    until(lambda: pair.channel().local == before.local, "the payment to go back", patience())


def test_a_policy_is_known_to_both_once_it_is_set(pair: Pair):
    """All five values."""
    point, bob = pair.channel().point, pair.bob.info().pubkey
    known = policy_of(pair.bob, point, bob)
    lock = 54 if pair.implementation not in ONE_TIME_LOCK else known.time_lock_delta
    limits = (known.min_htlc, known.max_htlc) if pair.implementation in KEEPS_LIMITS else (1_000, 500_000_000)
    wanted = Policy(base_fee=3_000, fee_rate=33, time_lock_delta=lock, min_htlc=limits[0], max_htlc=limits[1])

    pair.bob.set_policy(point, wanted)

    for node in (pair.alice, pair.bob):
        until(partial(knows, node, point, bob, wanted), "the policy to spread", patience())


def policy_of(node: Node, point: str, end: str) -> Policy:
    policy = next(edge for edge in node.edges() if edge.point == point).policy(end)
    assert policy is not None
    return policy


def needs_hold(pair: Pair) -> None:
    if pair.implementation in WITHOUT_HOLD:
        pytest.skip(f"{pair.implementation} holds no payments")


def knows(node: Node, point: str, end: str, policy: Policy) -> bool:
    return any(edge.point == point and edge.policy(end) == policy for edge in node.edges())


def test_coins_arrive_at_a_new_address(pair: Pair):
    """Confirmed, with their outpoint."""
    txid = pair.handles.chain.pay([Output(pair.bob.new_address(), 77_777)])

    def arrived() -> list[int]:
        return [coin.amount for coin in pair.bob.coins() if coin.outpoint.startswith(txid) and coin.confirmations]

    assert until(arrived, "the coin", patience()) == [77_777]


def test_a_channel_that_waits_for_a_block_is_pending_at_both_ends(pair: Pair):
    """And becomes active with it."""
    point = opened_by_bob(pair)

    pending = [channel for node in (pair.alice, pair.bob) for channel in node.channels() if channel.point == point]
    assert [(one.pending, one.active, one.confirmations_missing, one.scid) for one in pending] == [
        (True, False, pair.depth, 0)
    ] * 2
    pair.handles.chain.mine(pair.depth)
    until(partial(active, pair, point), "the channel to be active", patience())


def test_a_payment_larger_than_any_channel_is_split(pair: Pair):
    """Bob's two channels together carry what neither of them can; in one part it fails."""
    if len(pair.bob.channels()) == 1:  # where another worker has run the test that leaves a second one
        second = opened_by_bob(pair)
        pair.handles.chain.mine(pair.depth)
        until(partial(active, pair, second), "the channel to be active", patience())
    share = SHARES.get(pair.implementation, 1)
    least, most = sorted(
        min(channel.local - channel.local_reserve, channel.capacity // share) for channel in pair.bob.channels()
    )
    amount = (most + least // 4) * 1_000
    whole = sum(channel.local for channel in pair.bob.channels())
    until(lambda: len(pair.bob.edges()) == 2, "the second channel to be in the graph", patience())

    with pytest.raises(PaymentError):
        pair.bob.pay(pair.alice.invoice(amount).request, fee_limit=0, parts=1)
    paid = pair.bob.pay(pair.alice.invoice(amount).request, fee_limit=0, parts=32)

    assert (paid.amount, paid.fee) == (amount, 0)
    if pair.implementation not in HIDES_WAYS:
        assert paid.hops == 1
        assert 2 <= paid.parts <= 32
    until(lambda: left(pair) <= whole - amount // 1_000 + ROUNDING, "all parts to settle", patience())
    assert left(pair) >= whole - amount // 1_000 - ROUNDING


def left(pair: Pair) -> int:
    """Return what bob holds in channels, in satoshis; parts are not whole ones."""
    return sum(channel.local for channel in pair.bob.channels())


@pytest.mark.parametrize("force", [False, True], ids=["by agreement", "by force"])
def test_a_closed_channel_is_gone_at_both_ends(pair: Pair, force: bool):
    """Its closing transaction waits for blocks. By agreement, the money is there with them."""
    point = opened(pair)
    before = sum(coin.amount for coin in pair.alice.coins())

    txid = pair.alice.close(point, force=force)

    until(lambda: txid in pair.handles.chain.mempool(), "the closing to be in the mempool", patience())
    pair.handles.chain.mine(CLOSED)
    until(lambda: not ends(pair, point), "the channel to be gone", patience())
    if not force:
        until(
            lambda: sum(coin.amount for coin in pair.alice.coins() if coin.confirmations) > before,
            "the money",
            patience(),
        )


@pytest.mark.parametrize("force", [False, True], ids=["by agreement", "by force"])
def test_a_channel_that_is_being_closed_is_told_until_its_money_can_be_spent(pair: Pair, force: bool):
    """By agreement it is forgotten with a few blocks; by force whoever closed it has to wait for longer."""
    point = opened(pair)
    (before,) = [one for one in pair.alice.channels() if one.point == point]

    txid = pair.alice.close(point, force=force)

    def waiting() -> Ending | None:
        return next((one for one in pair.alice.endings() if one.point == point), None)

    told = until(waiting, "the node to tell", patience())
    assert replace(told, txid="", local=0, remote=0, blocks_left=0) == Ending(
        point=point,
        peer=pair.bob.info().pubkey,
        capacity=before.capacity,
        local=0,
        remote=0,
        initiator=True,
        private=before.private,
        forced=force,
        waits=True,
        memo=before.memo,
    )
    assert told.txid in ({"", txid} if pair.implementation == "cln" else {txid})
    assert before.local - MOST_FEE <= told.local <= before.local
    pair.handles.chain.mine(SEEN.get(pair.implementation, CLOSED) if force else CLOSED)
    if force:
        later = until(lambda: next(iter(locked(pair, point)), None), "the node to see how long it takes", patience())
        assert later.forced
    else:
        until(lambda: not waiting(), "the channel to be forgotten", patience())


def locked(pair: Pair, point: str) -> list[Ending]:
    """Return how alice sees a closed channel whose money is still locked, once what closed it is in a block."""
    least = LEFT.get(pair.implementation, CLOSED + 1)
    seen = [one for one in pair.alice.endings() if one.point == point and not one.waits]
    return [one for one in seen if one.blocks_left >= least]


def test_a_channel_that_is_not_there_cannot_be_closed(pair: Pair):
    """It is refused by the node."""
    with pytest.raises(ApplyError) as refused:
        pair.alice.close(f"{'ab' * 32}:0")

    assert refused.value.code == f"{pair.implementation}-refused"


def test_a_peer_can_be_parted_from_and_come_back(pair: Pair):
    """Parting twice is no error."""
    bob = pair.bob.info().pubkey

    pair.alice.disconnect(bob)
    pair.alice.disconnect("02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")

    def back() -> bool:
        pair.alice.connect(bob, pair.handles.addresses["bob"])
        return bob in pair.alice.peers()

    assert until(back, "bob to be back", patience(), expected=(ApplyError,))


def test_several_channels_are_opened_before_one_block(pair: Pair):
    """Each with a coin of its own; the block makes all of them active."""
    amount = 60_000 + FUNDING_FEE
    paid = [pair.handles.chain.pay([Output(pair.alice.new_address(), amount)]) for _ in range(3)]

    def arrived() -> list[str]:
        coins = [one.outpoint for one in pair.alice.coins() if one.amount == amount and one.confirmations]
        return coins if {coin.partition(":")[0] for coin in coins} >= {*paid} else []

    coins, peer = until(arrived, "the coins", patience()), pair.bob.info().pubkey
    openings = [Opening(peer=peer, capacity=60_000, push=0, coin=coin, memo="one of several") for coin in coins[:3]]
    points = [
        until(lambda one=one: pair.alice.open(one), "the channel to open", patience(), expected=(ApplyError,))
        for one in openings
    ]

    assert {point.partition(":")[0] for point in points} <= pair.handles.chain.mempool()
    assert len({*points}) == len(openings)
    pair.handles.chain.mine(pair.depth)
    for point in points:
        until(partial(active, pair, point), "the channel to be active", patience())
    for point in points:
        pair.alice.close(point)
    pair.handles.chain.mine(CLOSED)


def opened_by_bob(pair: Pair) -> str:
    """Return the point of a new channel from bob to alice that waits for a block."""
    txid = pair.handles.chain.pay([Output(pair.bob.new_address(), 50_300)])
    coin = until(
        lambda: next((coin.outpoint for coin in pair.bob.coins() if coin.outpoint.startswith(txid)), ""),
        "the coin",
        patience(),
    )
    opening = Opening(peer=pair.alice.info().pubkey, capacity=50_000, push=0, coin=coin, memo="another")
    return until(lambda: pair.bob.open(opening), "the channel to open", patience(), expected=(ApplyError,))


def opened(pair: Pair) -> str:
    """Return the point of a new channel from alice to bob that is active; the wallet has chosen the coin."""
    pair.handles.chain.pay([Output(pair.alice.new_address(), 1_000_000)])
    opening = Opening(peer=pair.bob.info().pubkey, capacity=60_000, push=0, coin="", memo="to be closed")
    point = until(lambda: pair.alice.open(opening), "the channel to open", patience(), expected=(ApplyError,))
    pair.handles.chain.mine(pair.depth)
    until(partial(active, pair, point), "the channel to be active", patience())
    return point


def ends(pair: Pair, point: str) -> list[NodeChannel]:
    return [channel for node in (pair.alice, pair.bob) for channel in node.channels() if channel.point == point]


def active(pair: Pair, point: str) -> bool:
    both = ends(pair, point)
    return len(both) == 2 and all(channel.active for channel in both)
