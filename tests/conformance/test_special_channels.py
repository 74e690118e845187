"""Channels that are used before they are confirmed, and of a chosen type: every implementation that can, with each."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from cartridge.artifacts.installed import Installed
from cartridge.clock import SystemClock
from cartridge.errors import ApplyError, UnknownVerdictError
from cartridge.lightning.chains.bitcoind import Output
from cartridge.lightning.nodes.node import Guest, Node, NodeChannel, NotYetError, Opening
from cartridge.lightning.run import Handles
from cartridge.lightning.topology import funding
from cartridge.model.network import Network
from cartridge.probes.wait import Patience, until
from tests.doubles.chain import FakeChain
from tests.doubles.networks import network
from tests.doubles.node import FakeLightning
from tests.integration.lightning.raw import of_store
from tests.integration.lightning.raw_ldk import raw_mixed

KINDS: Mapping[str, Mapping[str, str]] = {
    "fake": {"alice": "lnd", "bob": "lnd"},
    "real": {"alice": "lnd", "bob": "lnd", "carol": "ldk", "dora": "ldk"},
}
BURIED = 6
CAPACITY, PUSH, AMOUNT = 400_000, 150_000, 5_000_000
"""Satoshis, satoshis, and millisatoshis."""


def block(world: str) -> Network:
    """Return nodes without channels, each with some coins."""
    bare = network(tuple(KINDS[world]))
    kinds = {name: one.model_copy(update={"implementation": KINDS[world][name]}) for name, one in bare.nodes.items()}
    return bare.model_copy(update={"nodes": kinds})


REAL = pytest.param("real", marks=(pytest.mark.lightning, pytest.mark.ldk))


@pytest.fixture(scope="module", params=["fake", REAL])
def nodes(request: pytest.FixtureRequest) -> Iterator[Handles]:
    """Nodes that run, and are paid."""
    with ExitStack() as stack:
        if request.param == "fake":
            yield fakes()
            return
        programs: Mapping[str, Installed] = request.getfixturevalue("programs")
        daemon: Installed = request.getfixturevalue("ldk_program")
        yield stack.enter_context(raw_mixed(of_store(programs), daemon.binaries["ldk-regtest"], block("real")))


def fakes() -> Handles:
    """Return two nodes in memory, with a coin for each test."""
    chain = FakeChain()
    world = FakeLightning(chain)
    found: dict[str, Node] = {name: world.node(name) for name in KINDS["fake"]}
    chain.premine(1)
    for name, amounts in funding(block("fake")).items():
        chain.pay([Output(found[name].new_address(), amount) for amount in amounts * 9])
    return Handles(chain, found, {name: f"{name}:9735" for name in found})


def patience(seconds: float = 40.0) -> Patience:
    """Return patience for one step."""
    return Patience.of(SystemClock(), seconds, threading.Event())


def opened(handles: Handles, opener: str, acceptor: str, **how: object) -> tuple[NodeChannel, NodeChannel]:
    """Open a channel, and return it as both ends see it once both can use it."""
    one, other = handles.nodes[opener], handles.nodes[acceptor]
    own, peer = one.info().pubkey, other.info().pubkey
    opening = Opening(peer=peer, capacity=CAPACITY, push=PUSH, coin="", memo="", **how)  # type: ignore[arg-type]
    guests = [Guest(own, CAPACITY, PUSH, opening.private)] if opening.zero_conf else []

    def point() -> str:
        one.connect(peer, handles.addresses[acceptor])
        return one.open(opening)

    with other.welcoming(guests) as parted:
        if parted:
            until(
                lambda: connected(other, own, handles.addresses[opener]), "a peer", patience(), expected=(ApplyError,)
            )
        at = until(point, "it to open", patience(), expected=(NotYetError,))
    if not opening.zero_conf:
        until(lambda: at.partition(":")[0] in handles.chain.mempool(), "its funding", patience())
        handles.chain.mine(BURIED)

    def both() -> tuple[NodeChannel, ...] | None:
        seen = tuple(channel for node in (one, other) for channel in node.channels() if channel.point == at)
        return seen if len(seen) == 2 and all(channel.active for channel in seen) else None

    seen = until(both, "both ends to use it", patience())
    return seen[0], seen[1]


def connected(node: Node, peer: str, address: str) -> bool:
    """Connect a node that has started again, from its side: it tries by itself as well."""
    node.connect(peer, address)
    return True


def bury(handles: Handles) -> None:
    """Mine, and return once every node follows and knows what is confirmed."""
    handles.chain.mine(BURIED)
    height = handles.chain.tip().height
    for node in handles.nodes.values():
        until(lambda node=node: node.info().height >= height, "a node to follow", patience())
        until(lambda node=node: not any(one.unconfirmed for one in node.channels()), "it to be confirmed", patience())


def pays(payer: Node, payee: Node, channel: NodeChannel) -> bool:
    """Return whether a payment leaves by a channel and arrives; a new one may need a moment to be known."""

    def paid() -> bool:
        request = payee.invoice(AMOUNT).request
        way = channel.scid if payer.steers(channel.scid) else None
        return payer.pay(request, fee_limit=0, within=5.0, through=way).amount == AMOUNT

    return until(paid, "a payment", patience(), expected=(ApplyError, UnknownVerdictError))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_channel_pays_both_ways_before_it_is_confirmed_and_after(nodes: Handles) -> None:
    """Each implementation opens one to each, its own kind too, announced and not."""
    kinds = KINDS["real"]  # the others are among them
    pairs = {(kinds[one], kinds[other]): (one, other) for one, other in itertools.permutations(nodes.nodes, 2)}
    for (opener, acceptor), private in itertools.product(pairs.values(), (False, True)):
        one, other = nodes.nodes[opener], nodes.nodes[acceptor]
        height = nodes.chain.tip().height

        mine, theirs = opened(nodes, opener, acceptor, zero_conf=True, private=private)

        assert (mine.zero_conf, mine.unconfirmed, mine.pending, mine.private) == (True, True, False, private)
        assert pays(one, other, mine)
        assert pays(other, one, theirs)
        assert nodes.chain.tip().height == height
        bury(nodes)
        (now,) = [channel for channel in one.channels() if channel.point == mine.point]
        (there,) = [channel for channel in other.channels() if channel.point == mine.point]
        assert pays(one, other, now)
        assert pays(other, one, there)
        assert (now.zero_conf, now.unconfirmed) == (True, False)


def test_what_is_not_expected_is_not_used_before_it_is_confirmed(nodes: Handles) -> None:
    """Another amount than the one that is expected."""
    alice, bob = nodes.nodes["alice"], nodes.nodes["bob"]
    peer = bob.info().pubkey
    alice.connect(peer, nodes.addresses["bob"])
    opening = Opening(peer=peer, capacity=300_000, push=0, coin="", memo="", zero_conf=True)

    with (
        bob.welcoming([Guest(alice.info().pubkey, CAPACITY, PUSH, private=False)]),
        pytest.raises(NotYetError),
    ):
        alice.open(opening)


@pytest.mark.parametrize(("kind", "private"), [("static-remote-key", False), ("anchors", False), ("taproot", True)])
def test_a_channel_is_of_the_type_that_was_chosen(nodes: Handles, kind: str, private: bool) -> None:
    """With lnd all three."""
    mine, theirs = opened(nodes, "alice", "bob", type=kind, private=private)

    assert (mine.type, theirs.type, mine.zero_conf) == (kind, kind, False)
    assert pays(nodes.nodes["alice"], nodes.nodes["bob"], mine)


@pytest.mark.parametrize("nodes", [REAL], indirect=True)
def test_ldk_has_one_type_and_says_so(nodes: Handles) -> None:
    """Anchors; whatever else is asked for is refused before anything is paid."""
    dora = nodes.nodes["dora"]
    mine, _ = opened(nodes, "dora", "carol", type="anchors")
    peer = nodes.nodes["carol"].info().pubkey

    with pytest.raises(ApplyError) as refused:
        dora.open(Opening(peer=peer, capacity=CAPACITY, push=0, coin="", memo="", private=True, type="taproot"))

    assert (mine.type, refused.value.code) == ("anchors", "not-supported")
