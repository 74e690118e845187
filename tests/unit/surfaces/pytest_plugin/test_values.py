"""Amounts that tests give, and answers that hold secrets."""

from __future__ import annotations

import pytest

from cartridge.errors import InputError
from cartridge.surfaces.pytest_plugin.evidence import told
from cartridge.surfaces.pytest_plugin.values import Connection, millisatoshis


@pytest.mark.parametrize(
    ("amount", "expected"), [(1000, 1_000_000), ("1000 sat", 1_000_000), ("5 msat", 5), ("0.1 btc", 10_000_000_000)]
)
def test_an_amount_is_satoshis_or_text_with_a_unit(amount: int | str, expected: int) -> None:
    assert millisatoshis(amount) == expected


@pytest.mark.parametrize("amount", [True, 1.5, None, "1000", "much", b"1 sat"])
def test_anything_else_is_refused(amount: object) -> None:
    with pytest.raises(InputError) as refused:
        millisatoshis(amount)  # type: ignore[arg-type]

    assert (refused.value.code, bool(refused.value.resolution)) == ("amount-wrong", True)


def test_a_connection_does_not_show_its_secrets() -> None:
    connection = Connection({"PASSWORD": "hunter2"}, {"rpc": "http://me:hunter2@host"}, {"tls_cert": "/tls.cert"})

    assert repr(connection) == "Connection(files={'tls_cert': '/tls.cert'})"


def test_an_error_is_told_with_details_remedy_and_page() -> None:
    error = InputError("no such thing", code="amount-wrong", details=("line",), resolution="mend it")

    assert told(error) == "no such thing\n  line\ntry: mend it\n`cartridge explain amount-wrong` says more"
