"""An LDK node knows what it has spent, after a kill and when blocks are taken back; and it can ask its peers anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cartridge.artifacts.installed import Installed
from cartridge.errors import ApplyError, UnknownVerdictError
from cartridge.lightning.nodes.ldk import Ldk
from cartridge.lightning.nodes.node import FUNDING_FEE, Node, Opening
from cartridge.lightning.observation import Relearning
from cartridge.lightning.run import Handles
from cartridge.probes import ldk
from cartridge.probes.wait import until
from tests.doubles.networks import network
from tests.integration.lightning.raw import Programs, RawStack
from tests.integration.lightning.raw_ldk import paid_ldk, start_ldk

CAPACITY = 1_000_000
DEPTH = 6
NETWORK = network(
    ("alice", "bob"),
    *[{"from": "alice", "to": "bob", "capacity": f"{CAPACITY} sat"}] * 3,
    balances={"alice": "0 sat", "bob": "0 sat"},
)
"""Alice has a coin for each of three channels, and nothing else."""

pytestmark = [pytest.mark.lightning, pytest.mark.ldk]


@pytest.fixture
def live(bare: Programs, ldk_program: Installed) -> Iterator[tuple[RawStack, Handles]]:
    """The two nodes, connected."""
    with paid_ldk(bare, ldk_program.binaries["ldk-regtest"], NETWORK) as (stack, handles):
        connect(stack, handles)
        yield stack, handles


def test_a_killed_node_does_not_spend_again_what_waits(live: tuple[RawStack, Handles], ldk_program: Installed) -> None:
    """Killed between two openings without a block, it opens the second with another coin, and both count."""
    stack, handles = live
    first = open_one(stack, handles)

    stack.kill("alice")
    http = start_ldk(stack, ldk_program.binaries["ldk-regtest"], "alice")
    ldk.ready(http, stack.patience)
    handles = Handles(handles.chain, {**handles.nodes, "alice": Ldk(http)}, handles.addresses)
    connect(stack, handles)
    others = [open_one(stack, handles), open_one(stack, handles)]

    handles.chain.mine(DEPTH)
    assert active(stack, handles.nodes["alice"], 3) == {first, *others}
    assert handles.nodes["alice"].coins() == ()


def test_a_funding_that_was_taken_back_is_not_spent_again(live: tuple[RawStack, Handles]) -> None:
    """Blocks without it take the place of its own, it waits again, and the next channel is opened with another coin."""
    stack, handles = live
    first = open_one(stack, handles)
    handles.chain.mine(1)
    until(lambda: handles.nodes["alice"].info().synced, "the block", stack.patience)

    handles.chain.undo(1)
    for _ in range(2):
        handles.chain.confirm([])
    until(lambda: handles.nodes["alice"].info().synced, "the new blocks", stack.patience)
    second = open_one(stack, handles)

    assert {point.partition(":")[0] for point in (first, second)} <= handles.chain.mempool()
    handles.chain.mine(DEPTH + 1)
    assert active(stack, handles.nodes["alice"], 2) == {first, second}
    assert [(coin.amount, coin.confirmations > DEPTH) for coin in handles.nodes["alice"].coins()] == [
        (CAPACITY + FUNDING_FEE, True)
    ]


def test_a_node_that_asks_its_peers_anew_is_soon_as_it_was(live: tuple[RawStack, Handles]) -> None:
    """It starts again for that, and comes back with its channels."""
    stack, handles = live
    alice = handles.nodes["alice"]
    assert isinstance(alice, Relearning)
    point = open_one(stack, handles)
    handles.chain.mine(DEPTH)
    active(stack, alice, 1)

    alice.relearn()
    connect(stack, handles)

    assert active(stack, alice, 1) == {point}


def connect(stack: RawStack, handles: Handles) -> None:
    bob = handles.nodes["bob"].info().pubkey

    def connected() -> bool:
        handles.nodes["alice"].connect(bob, handles.addresses["bob"])
        return bob in handles.nodes["alice"].peers()

    until(connected, "the two to connect", stack.patience, expected=(ApplyError, UnknownVerdictError))


def open_one(stack: RawStack, handles: Handles) -> str:
    opening = Opening(peer=handles.nodes["bob"].info().pubkey, capacity=CAPACITY, push=0, coin="", memo="one")
    return until(
        lambda: handles.nodes["alice"].open(opening), "the channel to open", stack.patience, expected=(ApplyError,)
    )


def active(stack: RawStack, node: Node, count: int) -> set[str]:
    """Return the points of so many active channels, once there are."""

    def points() -> set[str]:
        found = {channel.point for channel in node.channels() if channel.active}
        return found if len(found) >= count else set()

    return until(points, "the channels to be active", stack.patience)
