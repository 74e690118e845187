"""What `cartridge pay` says of a payment."""

from __future__ import annotations

import pytest

from cartridge.operations.results.networks import PayResult
from cartridge.surfaces.cli.commands.pay import text


@pytest.mark.parametrize(("hops", "way"), [(1, " over 1 hop"), (3, " over 3 hops"), (None, "")])
def test_hops_are_said_where_the_payer_tells_them(hops: int | None, way: str):
    """And left out where it does not: none would be wrong."""
    paid = PayResult("alice", "bob", 1_000_000, 0, "ab" * 32, hops, 0.25)

    assert text(paid) == f"alice paid bob 1_000 sat{way} in 250 ms; fee 0 sat\npayment {'ab' * 32}\n"
