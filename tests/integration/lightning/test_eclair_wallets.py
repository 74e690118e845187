"""What bitcoind does for eclair nodes, by a real bitcoind: wallets of their own, chosen coins, names of channels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from cartridge.artifacts.installed import Installed
from cartridge.lightning.chains.bitcoind import Output
from cartridge.lightning.nodes.eclair import Eclair
from cartridge.lightning.nodes.eclair_calls import make_wallets, wallet_name
from cartridge.probes.eclair import EclairHttp
from tests.doubles.networks import network
from tests.integration.lightning.raw import RawStack, of_store, raw_stack

pytestmark = pytest.mark.lightning


@pytest.fixture
def stack(programs: Mapping[str, Installed]) -> Iterator[RawStack]:
    """A chain with money, and no node."""
    with raw_stack(of_store(programs), network(("alice", "bob"))) as made:
        made.start_bitcoind()
        made.chain.premine(2)
        yield made


def eclair(stack: RawStack, name: str) -> Eclair:
    """Return a node that is asked nothing but what its bitcoind can answer."""
    return Eclair(EclairHttp(name, "127.0.0.1", 9, ""), stack.rpc)


def test_each_node_has_coins_of_its_own_also_after_it_is_made_again(stack: RawStack) -> None:
    make_wallets(stack.rpc, ("alice", "bob"))
    alice, bob = eclair(stack, "alice"), eclair(stack, "bob")
    stack.chain.pay([Output(alice.new_address(), 50_000), Output(alice.new_address(), 60_000)])
    stack.chain.pay([Output(bob.new_address(), 70_000)])
    make_wallets(stack.rpc, ("alice", "bob"))
    stack.rpc.call("unloadwallet", wallet_name("alice"))
    make_wallets(stack.rpc, ("alice", "bob"))

    coins = [sorted((coin.amount, coin.confirmations) for coin in node.coins()) for node in (alice, bob)]

    assert coins == [[(50_000, 2), (60_000, 2)], [(70_000, 1)]]


def test_a_chosen_coin_is_the_only_one_that_can_be_spent_meanwhile(stack: RawStack) -> None:
    make_wallets(stack.rpc, ("alice",))
    alice = eclair(stack, "alice")
    stack.chain.pay([Output(alice.new_address(), amount) for amount in (50_000, 60_000, 70_000)])
    coin = next(one.outpoint for one in alice.coins() if one.amount == 60_000)

    with alice._only(coin):
        meanwhile = [one.amount for one in alice.coins()]
    with alice._only(""):
        any_of_them = len(alice.coins())

    assert (meanwhile, any_of_them, len(alice.coins())) == ([60_000], 3, 3)


def test_a_channel_has_its_name_by_the_coin_that_paid_for_it_or_by_its_funding(stack: RawStack) -> None:
    make_wallets(stack.rpc, ("alice",))
    alice = eclair(stack, "alice")
    stack.chain.pay([Output(alice.new_address(), 60_000)])
    (coin,) = alice.coins()
    alice._remember(coin.outpoint, "alice-bob-0")
    funding = str(
        stack.rpc.call("sendall", [alice.new_address()], None, "unset", 2, wallet=wallet_name("alice"))["txid"]
    )
    by_coin = alice._memos([f"{funding}:0"])
    alice._remember(f"{funding}:7", "alice-bob-1")

    assert (by_coin, alice._memos([f"{funding}:7"])) == (
        {f"{funding}:0": "alice-bob-0"},
        {f"{funding}:7": "alice-bob-1"},
    )
