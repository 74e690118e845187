"""What a node was given decides what it is owed, and nothing is taken away."""

from __future__ import annotations

import pytest

from cartridge.model.network import Network
from cartridge.plan.balances import balance_changes, owed, surplus
from cartridge.plan.change import Change, ChangeKind

SATOSHI = 1_000


def network(balance: str) -> Network:
    return Network.model_validate({"nodes": {"alice": {"implementation": "lnd", "balance": balance}}})


@pytest.mark.parametrize(
    ("written", "kind", "reason", "paid"),
    [
        ("1_000_000 sat", None, "", 0),
        (
            "1_001_000 sat",
            ChangeKind.UPDATE,
            "its balance grows from 1_000_000 sat to 1_001_000 sat: the difference is paid",
            1_000,
        ),
        (
            "1_000_999 sat",
            ChangeKind.KEEP,
            "its balance grows by less than 1_000 sat, which is too little to pay",
            0,
        ),
        ("400_000 sat", ChangeKind.KEEP, "it was given 600_000 sat more than is written now, and keeps it", 0),
    ],
)
def test_a_balance_written_otherwise_is_told_and_what_it_grew_by_is_owed(
    written: str, kind: ChangeKind | None, reason: str, paid: int
) -> None:
    given = {"alice": 1_000_000 * SATOSHI}

    changes = balance_changes(network(written), given)

    assert changes == ((Change(kind, "wallet/alice", reason),) if kind else ())
    assert owed(network(written), given) == ({"alice": paid * SATOSHI} if paid else {})


def test_a_node_that_was_given_nothing_yet_is_owed_nothing_as_its_wallet_is_paid_when_it_is_made() -> None:
    assert (balance_changes(network("1 BTC"), {}), owed(network("1 BTC"), {}), surplus(None, {"bob": 5})) == (
        (),
        {},
        {},
    )
