"""The wallet that a real bitcoind keeps for the chain, where an earlier bitcoind was killed while it made one."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from cartridge.artifacts.installed import Installed
from cartridge.lightning.chains.bitcoind import Bitcoind
from tests.doubles.networks import network
from tests.integration.lightning.raw import of_store, raw_stack

pytestmark = pytest.mark.lightning

REGTEST = 0xFABFB5DA
"""What bitcoind has SQLite write into the head of a wallet's file for its network."""
DESCRIPTORS = 1 << 34
"""The flag of a wallet of descriptors."""


def half_made(wallet: Path) -> None:
    """Write what a bitcoind leaves that is killed between the first record of a wallet and its keys."""
    wallet.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(wallet / "wallet.dat")) as database, database:
        database.execute(f"PRAGMA application_id = {REGTEST - (1 << 32)}")
        database.execute("CREATE TABLE main(key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL)")
        database.execute("INSERT INTO main VALUES (?, ?)", (b"\x05flags", DESCRIPTORS.to_bytes(8, "little")))


def test_wallets_cut_off_by_a_kill_are_left_alone_and_the_chain_gets_another(programs: Mapping[str, Installed]) -> None:
    with raw_stack(of_store(programs), network(("nobody",))) as stack:
        folder = stack.data("bitcoind") / "regtest/wallets"
        half_made(folder / "miner")
        half_made(folder / "miner-2")
        stack.start_bitcoind()
        stack.chain.premine(2)
        stack.kill("bitcoind")
        stack.start_bitcoind()

        Bitcoind(stack.rpc).mine()

        assert stack.rpc.call("listwallets") == ["miner-3"]
        assert stack.rpc.call("getbalances", wallet="miner-3")["mine"]["trusted"] > 0
