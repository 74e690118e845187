"""Numbers with units, as people write them: `10_000_000 sat`, `250 ms`, `50%`, `1.5 MiB`.

Each type parses one spelling into one base unit and prints it back; a bare number is refused where a unit
would leave the reader guessing. Never rounds: a value that is no whole number of base units is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

_NUMBER = re.compile(r"^\s*(?P<number>\d[\d_]*(?:\.\d+)?)\s*(?P<unit>[a-zA-Zµ%]*)\s*$")

SATOSHI: Mapping[str, int] = {"sat": 1_000, "sats": 1_000, "msat": 1, "btc": 100_000_000_000, "BTC": 100_000_000_000}
"""Millisatoshi in each unit of bitcoin."""

SECONDS: Mapping[str, int] = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
"""Milliseconds in each unit of time."""


def _parse(text: str, units: Mapping[str, int], what: str, example: str) -> int:
    match = _NUMBER.match(text)
    if match is None or match["unit"] not in units:
        known = ", ".join(f"`{unit}`" for unit in units)
        raise ValueError(f"`{text}` is not {what}; write a number and one of {known}, such as `{example}`")
    exact = Decimal(match["number"].replace("_", "")) * units[match["unit"]]
    if exact != int(exact):
        raise ValueError(f"`{text}` is finer than this quantity can be")
    return int(exact)


def parse_amount(value: Any) -> int:
    """Return millisatoshi from `1000 sat`, `1 btc` or `5 msat`.

    Raises:
        ValueError: no number with a unit of bitcoin.
    """
    if isinstance(value, str):
        return _parse(value, SATOSHI, "an amount of bitcoin", "10_000 sat")
    raise ValueError(f"`{value}` has no unit; write `{value} sat`")


def parse_duration(value: Any) -> int:
    """Return milliseconds from `250 ms`, `10 s`, `5 m`, `1 h` or `2 d`.

    Raises:
        ValueError: no number with a unit of time.
    """
    if isinstance(value, str):
        return _parse(value, SECONDS, "a duration", "10 s")
    raise ValueError(f"`{value}` has no unit; write `{value} s`")


def parse_share(value: Any) -> int:
    """Return parts per million from `50%` or `12.5%`.

    Raises:
        ValueError: no percentage between 0 % and 100 %.
    """
    if not isinstance(value, str):
        raise ValueError(f"`{value}` has no unit; write `{value}%` or an amount such as `1000 sat`")
    share = _parse(value, {"%": 10_000}, "a share", "50%")
    if share > 1_000_000:
        raise ValueError(f"`{value}` is more than 100%")
    return share


def _parse_push(value: Any) -> int | Share:
    return Share(parse_share(value)) if isinstance(value, str) and value.rstrip().endswith("%") else parse_amount(value)


class Share(int):
    """Parts per million of something else, told apart from an absolute amount."""

    def of(self, whole: int) -> int:
        """Return this share of `whole`, rounded down."""
        return whole * self // 1_000_000


def _schema(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


_AMOUNT = r"^\s*\d[\d_]*(\.\d+)?\s*(sat|sats|msat|btc|BTC)\s*$"

Amount = Annotated[int, BeforeValidator(parse_amount), Field(ge=0), _schema(_AMOUNT, "10_000_000 sat")]
"""An amount of bitcoin, in millisatoshi."""

Duration = Annotated[
    int, BeforeValidator(parse_duration), Field(ge=0), _schema(r"^\s*\d[\d_]*(\.\d+)?\s*(ms|s|m|h|d)\s*$", "10 s")
]
"""A duration, in milliseconds."""

Push = Annotated[
    int,
    BeforeValidator(_parse_push),
    _schema(r"^\s*\d[\d_]*(\.\d+)?\s*(%|sat|sats|msat|btc|BTC)\s*$", "50%"),
]
"""What the opener gives away at the start: a `Share` of the capacity, or an amount in millisatoshi."""


def format_amount(millisatoshi: int) -> str:
    """Return the amount as people write it: `10_000 sat`, or `5 msat` where it is no whole satoshi."""
    whole, rest = divmod(millisatoshi, 1_000)
    return f"{millisatoshi:_} msat" if rest else f"{whole:_} sat"


def format_duration(milliseconds: int) -> str:
    """Return the duration in the largest unit that keeps it whole: `90 s`, `250 ms`."""
    for unit, size in reversed(tuple(SECONDS.items())):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size} {unit}"
    return f"{milliseconds} ms"
