"""Text with a unit means one number of base units, and a number prints as what means it again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartridge.model.units import (
    Share,
    format_amount,
    format_duration,
    parse_amount,
    parse_duration,
    parse_push,
    parse_share,
)


@pytest.mark.parametrize(
    ("text", "millisatoshi"),
    [
        ("10_000_000 sat", 10_000_000_000),
        ("1 sat", 1_000),
        ("1sats", 1_000),
        ("0.5 sat", 500),
        ("5 msat", 5),
        ("1 btc", 100_000_000_000),
        ("0.00000001 BTC", 1_000),
        ("  2 sat ", 2_000),
        ("0 sat", 0),
    ],
)
def test_an_amount_is_millisatoshi(text: str, millisatoshi: int) -> None:
    assert parse_amount(text) == millisatoshi


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("250 ms", 250), ("10 s", 10_000), ("1.5 s", 1_500), ("5 m", 300_000), ("2 d", 172_800_000)],
)
def test_a_duration_is_milliseconds(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize(("text", "share"), [("50%", 500_000), ("12.5 %", 125_000), ("0%", 0), ("100%", 1_000_000)])
def test_a_share_is_parts_per_million(text: str, share: int) -> None:
    assert parse_share(text) == share


def test_a_push_is_a_share_or_an_amount_and_says_which() -> None:
    share, amount = parse_push("50%"), parse_push("500 sat")

    assert (type(share), share, type(amount), amount) == (Share, 500_000, int, 500_000)


def test_a_share_of_something_is_rounded_down() -> None:
    assert Share(333_333).of(10) == 3


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (10, "`10` has no unit"),
        (1.5, "`1.5` has no unit"),
        (True, "this is not an amount of bitcoin"),
        (None, "this is not an amount of bitcoin"),
        ([], "this is not an amount of bitcoin"),
        ("10", "`10` is not an amount of bitcoin"),
        ("10 sta", "`10 sta` is not an amount of bitcoin"),
        ("-1 sat", "`-1 sat` is not an amount of bitcoin"),
        ("1e3 sat", "`1e3 sat` is not an amount of bitcoin"),
        ("٣ sat", "`٣ sat` is not an amount of bitcoin"),
        ("0.5 msat", "`0.5 msat` is finer than this quantity can be"),
        ("", "`` is not an amount of bitcoin"),
    ],
)
def test_what_is_no_amount_is_refused_with_a_word_why(value: object, said: str) -> None:
    with pytest.raises(ValueError, match="; ") as caught:
        parse_amount(value)

    assert str(caught.value).partition("; ")[0] == said


def test_more_than_everything_is_no_share() -> None:
    with pytest.raises(ValueError, match="more than 100%"):
        parse_share("100.0001%")


@given(st.integers(0, 10**18))
def test_an_amount_prints_as_what_means_it(millisatoshi: int) -> None:
    assert parse_amount(format_amount(millisatoshi)) == millisatoshi


@given(st.integers(0, 10**12))
def test_a_duration_prints_as_what_means_it(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds)) == milliseconds


@given(st.text() | st.integers() | st.none() | st.lists(st.text()))
def test_anything_else_is_a_value_error(value: object) -> None:
    for parse in (parse_amount, parse_duration, parse_share, parse_push):
        try:
            assert parse(value) >= 0
        except ValueError:
            continue
