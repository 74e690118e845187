"""A btcd that is killed forgets its newest blocks, and is given them back."""

from __future__ import annotations

from pathlib import Path

import pytest

from cartridge.artifacts.installed import Installed
from cartridge.lightning.chains.bitcoind import Output
from tests.integration.lightning.raw_btcd import raw_btcd

pytestmark = pytest.mark.lightning
ONE = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


def test_a_killed_btcd_has_every_block_again(btcd_program: Installed, tmp_path: Path) -> None:
    """And the coins in them."""
    program = btcd_program.binaries["btcd"]
    with raw_btcd(program, tmp_path, kill=True) as chain:
        chain.premine(2)
        chain.pay([Output(ONE, 100_000)])
        before = chain.tip()

    with raw_btcd(program, tmp_path) as chain:
        chain.recall()

        assert chain.tip() == before
        assert [coin.amount for coin in chain.unspent([ONE])] == [100_000]


def test_a_block_that_was_undone_does_not_come_back(btcd_program: Installed, tmp_path: Path) -> None:
    """Those that took its place do."""
    program = btcd_program.binaries["btcd"]
    with raw_btcd(program, tmp_path, kill=True) as chain:
        chain.mine(5)
        chain.undo(2)
        chain.mine(3)
        before = chain.tip()

    with raw_btcd(program, tmp_path) as chain:
        chain.recall()

        assert chain.tip() == before
