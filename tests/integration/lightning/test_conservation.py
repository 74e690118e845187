"""Money is neither made nor lost, to the satoshi, whatever happens to a network of real nodes.

`CONSERVATION_OPERATIONS=1000` makes it long, `CONSERVATION_SEED` another one (CONTRIBUTING.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial, wraps

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from cartridge.clock import SystemClock
from cartridge.errors import ApplyError
from cartridge.lightning.closing import FORCED
from cartridge.lightning.nodes.node import Node, NodeChannel, Opening, PaymentError, Policy
from cartridge.operations.access import grip, secrets
from cartridge.probes.wait import Patience, until
from cartridge.targets.driver import Address
from cartridge.workspace.settings import variable
from tests.integration.lightning.ledger import Ledger
from tests.integration.lightning.live import LiveNetwork, live_network
from tests.scenarios import world

pytestmark = [pytest.mark.lightning, pytest.mark.slow]

STEPS = 40
"""Operations in a row before hypothesis thinks of others; the network goes on as it is."""
OPERATIONS = int(variable("CONSERVATION_OPERATIONS") or STEPS)
SEED = int(variable("CONSERVATION_SEED") or 4)
NAMES = ("alice", "bob", "carol")
FREE = "base_fee: 1 sat, fee_rate: 0"
"""Fees in whole satoshis, because nodes report balances in whole satoshis."""
ANCHOR = 330
"""Satoshis of an output that is only there to raise a fee."""
CLOCK = SystemClock()

who = some.sampled_from(NAMES)
places = some.integers(0, 20)
"""Which channel: counted through those there are."""


@pytest.fixture
def live() -> Iterator[LiveNetwork]:
    """Three nodes with a channel each."""
    with live_network("process") as made:
        pairs = (("alice", "bob"), ("bob", "carol"), ("carol", "alice"))
        made.write(
            *(
                f"from: {one}, to: {other}, capacity: 2_000_000 sat, push: 50%, "
                f"policies: {{{one}: {{{FREE}}}, {other}: {{{FREE}}}}}"
                for one, other in pairs
            )
        )
        made.up()
        yield made


class Bank:
    """A network, and what must be true of its money."""

    def __init__(self, live: LiveNetwork) -> None:
        self.live, self.nodes, self.chain = live, live.nodes(), live.chain()
        state = live.state()
        port = next(one.ports["rpc"] for one in state.components.values() if one.kind == "bitcoind")
        held = secrets.ensure(live.project.folder / ".cartridge" / state.stack)
        self.ledger = Ledger(grip.rpc(Address("127.0.0.1", port), held))
        self.names = {node.info().pubkey: name for name, node in self.nodes.items()}
        self.done: dict[str, int] = {}
        self.forced: set[str] = set()
        self.history: list[str] = []
        self.failure: Exception | None = None
        self.examples = 0

    def count(self, operation: str) -> None:
        """Take note that an operation was done, not only tried."""
        self.done[operation] = self.done.get(operation, 0) + 1

    def mine(self, blocks: int) -> None:
        """Mine, and wait until every node follows."""
        self.chain.mine(blocks)
        height = self.chain.tip().height
        for node in self.nodes.values():
            self.wait(partial(_is_at, node, height), "the nodes to follow")

    def opened(self) -> list[tuple[str, NodeChannel]]:
        """Return every channel as its opener sees it, in an order that depends on nothing else."""
        every = ((name, one) for name, node in self.nodes.items() for one in node.channels() if one.initiator)
        return sorted(every, key=lambda item: item[1].point)

    def wait(self, question: Callable[[], bool], what: str) -> None:
        """Return once a question is answered with yes."""
        until(question, what, self.patience())

    def patience(self) -> Patience:
        """Return how long one thing may take."""
        return Patience.of(CLOCK, 30.0)

    def set_fee(self, name: str, channel: NodeChannel, satoshis: int) -> None:
        """Have a node ask for so much, as soon as its graph has the channel."""
        policy = Policy(satoshis * 1_000, 0, 40, 1_000, channel.capacity * 900)

        def set_it() -> bool:
            self.nodes[name].set_policy(channel.point, policy)
            return True

        until(set_it, f"a policy of `{name}`", self.patience(), expected=(ApplyError,))

    def check(self) -> None:
        """Return once each unspent output is somebody's, and all is there."""
        self.wait(self.is_at_rest, "both ends of every channel to agree")
        self.ledger.follow()
        self.wait(self.is_accounted_for, "every wallet and channel to add up")

    def is_at_rest(self) -> bool:
        """Return whether nothing is under way: what one end of a channel has, the other end knows of."""
        views: dict[str, list[NodeChannel]] = {}
        for node in self.nodes.values():
            for one in node.channels():
                views.setdefault(one.point, []).append(one)
        return all(len(pair) == 2 and _agree(*pair) for pair in views.values())

    def is_accounted_for(self) -> bool:
        """Return whether wallets, channels and what comes back from them are all the money there is."""
        if self.chain.mempool():
            self.mine(1)
            return False
        self.ledger.follow()
        claimed, rest = self.claimed(), self.on_its_way()
        return (
            claimed.items() <= self.ledger.unspent.items()
            and sum(claimed.values()) + sum(rest.values()) + self.ledger.fees == self.ledger.issued
            and all(point.partition(":")[0] in self.forced for point in rest)
        )

    def claimed(self) -> dict[str, int]:
        """Return what wallets and channels hold, in satoshis by outpoint."""
        wallets = {coin.outpoint: coin.amount for node in self.nodes.values() for coin in node.coins()}
        channels = {one.point: one.capacity for _, one in self.opened()}
        assert wallets.keys().isdisjoint(channels)
        return {**wallets, **channels}

    def on_its_way(self) -> dict[str, int]:
        """Return what nobody claims: the outputs of channels closed by force, while they are locked."""
        claimed = self.claimed()
        return {point: amount for point, amount in self.ledger.unspent.items() if point not in claimed}

    def unlock(self) -> None:
        """Mine until everything locked is back in the wallets, but for anchors, which are not worth a transaction."""
        for _ in range(60):
            self.mine(10)
            self.check()
            if all(amount == ANCHOR for amount in self.on_its_way().values()):
                return
        raise AssertionError(f"never came back: {self.on_its_way()}")


def _is_at(node: Node, height: int) -> bool:
    info = node.info()
    return info.synced and info.height >= height


def _agree(one: NodeChannel, other: NodeChannel) -> bool:
    kept = one.capacity - one.local - one.remote  # the commitment's fee and its anchors
    return (one.local, one.remote) == (other.remote, other.local) and 0 <= kept <= 20_000


def kept(operation: Callable[..., None]) -> Callable[..., None]:
    """Return an operation that keeps its first failure for the end: a real network cannot be put back to the start."""

    @wraps(operation)
    def run(machine: Machine, **drawn: object) -> None:
        bank = machine.bank
        if bank.examples == 1 or bank.failure is not None or len(bank.history) >= OPERATIONS:
            return
        bank.history.append(f"{operation.__name__}({', '.join(f'{name}={value}' for name, value in drawn.items())})")
        try:
            operation(machine, **drawn)
            bank.check()
        except Exception as error:  # noqa: BLE001 - the test raises it once hypothesis is done
            bank.failure = error

    return run


class Machine(RuleBasedStateMachine):
    """What may happen to a network, in any order."""

    bank: Bank

    def __init__(self) -> None:
        super().__init__()
        self.bank.examples += 1  # the first one is always the simplest operation again and again

    @rule(payer=who, payee=who, satoshis=some.integers(1, 400_000))
    @kept
    def pay(self, payer: str, payee: str, satoshis: int) -> None:
        """A payment arrives whole, and its fee stays in the network; or nothing moves."""
        if payer == payee:
            return
        bank, before = self.bank, self.shares()
        try:
            request = bank.nodes[payee].invoice(satoshis * 1_000).request
            paid = bank.nodes[payer].pay(request, fee_limit=100_000, within=10.0)
        except PaymentError:
            return
        moved = {payer: -satoshis - paid.fee // 1_000, payee: satoshis}
        middle = next(name for name in NAMES if name not in moved)
        expected = {name: before[name] + moved.get(name, paid.fee // 1_000) for name in (*moved, middle)}
        bank.wait(lambda: self.shares() == expected, "the payment, to the satoshi")
        bank.count("pay")

    @rule(opener=who, peer=who, capacity=some.integers(50_000, 1_000_000), private=some.booleans())
    @kept
    def open(self, opener: str, peer: str, capacity: int, private: bool) -> None:
        """A channel is paid for by its opener's wallet."""
        bank = self.bank
        if opener == peer or len(bank.opened()) > 12:
            return
        pubkey = next(pubkey for pubkey, name in bank.names.items() if name == peer)
        point = bank.nodes[opener].open(
            Opening(pubkey, capacity, 0, "", "", private=private, base_fee=1_000, fee_rate=0)
        )
        bank.mine(6)
        bank.wait(lambda: all(one.active for _, one in bank.opened()), "the channel to be active")
        (channel,) = [one for one in bank.nodes[opener].channels() if one.point == point]
        bank.set_fee(peer, channel, 1)
        bank.count("open")

    @rule(place=places, force=some.sampled_from((False, False, False, True)))
    @kept
    def close(self, place: int, force: bool) -> None:
        """Both ends get their own back; by force, later."""
        bank = self.bank
        if not (opened := bank.opened()):
            return
        name, channel = opened[place % len(opened)]
        txid = bank.nodes[name].close(channel.point, force=force)
        if force:
            bank.forced.add(txid)
        bank.mine(FORCED if force else 1)
        bank.wait(lambda: not self.lists(channel.point), "the channel to be gone")
        bank.count("force-close" if force else "close")

    @rule(place=places, base_fee=some.integers(0, 3))
    @kept
    def change_policy(self, place: int, base_fee: int) -> None:
        """Costs nobody anything."""
        bank = self.bank
        if not (opened := bank.opened()):
            return
        name, channel = opened[place % len(opened)]
        bank.set_fee(name, channel, base_fee)
        bank.count("policy")

    @rule(name=who, often=some.integers(0, 3))
    @kept
    def restart(self, name: str, often: int) -> None:
        """A node that is killed and brought back by `up` knows what it had; the network is as written again."""
        if often:  # it takes as long as all the others together
            return
        world.kill(world.processes(self.bank.live.state().stack, name))
        self.bank.live.up()
        self.bank.nodes = self.bank.live.nodes()
        self.bank.wait(lambda: all(one.active for _, one in self.bank.opened()), "the channels to be active")
        self.bank.count("restart")

    @rule(blocks=some.integers(1, 6))
    @kept
    def mine(self, blocks: int) -> None:
        """Time passes on the chain."""
        self.bank.mine(blocks)
        self.bank.count("mine")

    def shares(self) -> dict[str, int]:
        """Return the satoshis each node has in its channels."""
        return {name: sum(one.local for one in node.channels()) for name, node in self.bank.nodes.items()}

    def lists(self, point: str) -> bool:
        """Return whether any node still has this channel."""
        return any(one.point == point for node in self.bank.nodes.values() for one in node.channels())


@pytest.mark.timeout(300 + 3 * OPERATIONS)
@pytest.mark.parametrize("seed", [SEED])
def test_no_satoshi_is_made_or_lost_by_any_operations_in_any_order(live: LiveNetwork, seed: int) -> None:
    """Payments, channels, policies, deaths and blocks; at the end everything locked has come back."""
    bank = Machine.bank = Bank(live)
    bank.check()

    run_state_machine_as_test(
        hypothesis.seed(seed)(Machine),
        settings=settings(
            max_examples=OPERATIONS // STEPS + 3,
            stateful_step_count=STEPS,
            phases=[Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

    if bank.failure is not None:
        bank.failure.add_note("after " + ", ".join(bank.history[-STEPS:]))
        raise bank.failure
    assert len(bank.history) == OPERATIONS
    assert bank.done.keys() >= {"pay", "open", "close"}
    bank.unlock()
