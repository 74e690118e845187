"""A copied database names the new addresses of its peers, and nothing else of it changes."""

from __future__ import annotations

import socket

from hypothesis import given
from hypothesis import strategies as st

from cartridge.lightning.readdress import readdress
from cartridge.lightning.rebuilt import is_rebuilt

PORT = st.integers(1, 65535)


def address(port: int, host: str = "127.0.0.1") -> bytes:
    """Return an address as lnd stores it, behind the byte of its kind."""
    return b"\x01" + socket.inet_aton(host) + port.to_bytes(2, "big")


def test_each_address_is_replaced_once_even_where_ports_change_hands() -> None:
    database = b"head" + address(1000) + b"-" + address(2000) + b"-" + address(1000, "10.0.0.1") + address(3000)

    moved = readdress(database, {1000: 2000, 2000: 1000})

    assert moved == b"head" + address(2000) + b"-" + address(1000) + b"-" + address(1000, "10.0.0.1") + address(3000)


@given(st.dictionaries(PORT, PORT, max_size=5), st.lists(PORT, max_size=20))
def test_moving_there_and_back_changes_nothing(ports: dict[int, int], stored: list[int]) -> None:
    there = dict(zip(ports, sorted(ports, reverse=True), strict=True))
    database = b"|".join(map(address, stored))

    moved = readdress(database, there)

    assert len(moved) == len(database)
    assert readdress(moved, {new: old for old, new in there.items()}) == database


def test_what_a_daemon_makes_again_is_left_out_and_what_it_cannot_do_without_is_not() -> None:
    from pathlib import PurePosixPath as Path

    left_out = [
        "regtest/debug.log",
        "regtest/.lock",
        "regtest/chainstate/LOCK",
        "logs",
        "data/graph/regtest/sphinxreplay.db",
        "regtest/bitcoind.pid",
        "a.sock",
    ]
    kept = ["regtest/blocks/blk00000.dat", "regtest/mempool.dat", "regtest/wallets/miner/wallet.dat", "tls.key"]
    kept += [
        "data/graph/regtest/channel.db",
        "data/chain/bitcoin/regtest/admin.macaroon",
        "regtest/chainstate/000003.log",
    ]

    assert [path for path in left_out + kept if is_rebuilt(Path(path))] == left_out
