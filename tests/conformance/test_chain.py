"""What every chain must do: the one in memory, a real bitcoind and a real btcd."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cartridge.artifacts.installed import Installed
from cartridge.lightning.chains.bitcoind import Chain, Output
from cartridge.lightning.chains.blocks import hash_of
from tests.doubles.chain import FakeChain
from tests.doubles.networks import network
from tests.integration.lightning.raw import of_store, raw_stack
from tests.integration.lightning.raw_btcd import raw_btcd

ONE = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
OTHER = "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry"


@pytest.fixture(params=["fake", *(pytest.param(one, marks=pytest.mark.lightning) for one in ("bitcoind", "btcd"))])
def chain(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Chain]:
    """A chain with nothing but its first block."""
    if request.param == "fake":
        yield FakeChain()
        return
    if request.param == "btcd":
        program: Installed = request.getfixturevalue("btcd_program")
        with raw_btcd(program.binaries["btcd"], tmp_path) as made:
            yield made
        return
    programs: Mapping[str, Installed] = request.getfixturevalue("programs")
    with raw_stack(of_store(programs), network(("nobody",))) as stack:
        stack.start_bitcoind()
        yield stack.chain


def test_a_premined_chain_can_pay_and_is_not_premined_again(chain: Chain):
    """Rewards are spendable after a hundred blocks."""
    tip = chain.premine(2)

    assert tip.height == 102
    assert chain.premine(2) == tip == chain.tip() == chain.block(102)


def test_blocks_follow_each_other(chain: Chain):
    """The newest is the last of the hashes."""
    hashes = chain.mine(3)

    assert [chain.block(height).hash for height in (1, 2, 3)] == list(hashes)
    assert chain.tip().hash == hashes[-1]


def test_a_block_is_what_its_hash_says(chain: Chain):
    """Whole, with what is in it; the hash is that of its head."""
    chain.mine(2)

    raw = [bytes.fromhex(chain.raw(height)) for height in (0, 1, 2)]
    assert [hash_of(block) for block in raw] == [chain.block(height).hash for height in (0, 1, 2)]


def test_a_payment_is_confirmed_at_once_with_every_output(chain: Chain):
    """In a block of its own, the next one."""
    height = chain.premine(2).height

    txid = chain.pay([Output(ONE, 100_000), Output(OTHER, 250_000)])

    coins = chain.unspent([ONE, OTHER])
    assert sorted((coin.address, coin.amount, coin.height) for coin in coins) == [
        (OTHER, 250_000, height + 1),
        (ONE, 100_000, height + 1),
    ]
    assert {coin.outpoint.partition(":")[0] for coin in coins} == {txid}
    assert chain.tip().height == height + 1
    assert chain.mempool() == frozenset()


def test_what_is_confirmed_by_name_is_confirmed_alone_and_what_does_not_wait_cannot_be(chain: Chain):
    """An unknown transaction is an error, and makes no block."""
    height = chain.premine(2).height

    with pytest.raises(Exception, match="0" * 64):
        chain.confirm(["0" * 64])
    made = chain.confirm([])

    assert (chain.tip().height, chain.tip().hash) == (height + 1, made)


def test_an_address_nobody_paid_has_nothing(chain: Chain):
    """Nor has no address at all."""
    chain.premine(1)

    assert chain.unspent([ONE]) == chain.unspent([]) == ()


def test_a_payment_larger_than_what_is_mined_is_paid_all_the_same(chain: Chain):
    """More is mined first."""
    chain.premine(1)

    chain.pay([Output(ONE, 12_000_000_000)])

    assert [coin.amount for coin in chain.unspent([ONE])] == [12_000_000_000]


@pytest.mark.parametrize("depth", [1, 12], ids=["shallow", "deep"])
def test_blocks_can_be_taken_back_and_others_put_in_their_place(chain: Chain, depth: int):
    """What was in them waits for a block again, and gets one."""
    chain.premine(2)
    txid = chain.pay([Output(ONE, 100_000)])
    if depth > 1:
        chain.mine(depth - 1)
    before = chain.tip()

    undone = chain.undo(depth)
    waiting = chain.mempool()
    hashes = chain.mine(depth + 1)

    assert (len(undone.blocks), undone.transactions, waiting) == (depth, (txid,), {txid})
    assert undone.blocks[-1] == before.hash
    assert chain.tip().height == before.height + 1
    assert set(hashes).isdisjoint(undone.blocks)
    assert [coin.amount for coin in chain.unspent([ONE])] == [100_000]
