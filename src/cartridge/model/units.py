"""Text with a unit to whole base units and back: `10_000 sat`, `250 ms`, `50%`. Pure; imports no pydantic.

One spelling, one base unit: millisatoshi, milliseconds, parts per million. Never rounds: a value that is no
whole number of base units is refused, and so is a bare number, because a reader would have to guess its unit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_NUMBER = re.compile(r"\s*(?P<whole>[0-9][0-9_]{0,29})(?:\.(?P<part>[0-9]{1,20}))?\s*(?P<unit>[a-zA-Zµ%]{0,8})\s*")

SATOSHI: Mapping[str, int] = {"sat": 1_000, "sats": 1_000, "msat": 1, "btc": 100_000_000_000, "BTC": 100_000_000_000}
"""Millisatoshi in each unit of bitcoin."""

SECONDS: Mapping[str, int] = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
"""Milliseconds in each unit of time."""


class Share(int):
    """Parts per million of something else, told apart from an absolute amount."""

    def of(self, whole: int) -> int:
        """Return this share of `whole`, rounded down."""
        return whole * self // 1_000_000


def parse_amount(value: object) -> int:
    """Return millisatoshi from `1000 sat`, `1 btc` or `5 msat`.

    Raises:
        ValueError: no number with a unit of bitcoin.
    """
    return _parse(value, SATOSHI, "an amount of bitcoin", "10_000 sat")


def parse_duration(value: object) -> int:
    """Return milliseconds from `250 ms`, `10 s`, `5 m`, `1 h` or `2 d`.

    Raises:
        ValueError: no number with a unit of time.
    """
    return _parse(value, SECONDS, "a duration", "10 s")


def parse_share(value: object) -> Share:
    """Return parts per million from `50%` or `12.5%`.

    Raises:
        ValueError: no percentage between 0 % and 100 %.
    """
    share = _parse(value, {"%": 10_000}, "a share", "50%")
    if share > 1_000_000:
        raise ValueError(f"`{value}` is more than 100%; write a share between `0%` and `100%`")
    return Share(share)


def parse_push(value: object) -> int:
    """Return a `Share` from `50%`, or millisatoshi from `1000 sat`.

    Raises:
        ValueError: neither.
    """
    if isinstance(value, str) and not value.rstrip().endswith("%"):
        return parse_amount(value)
    return parse_share(value)


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


def _parse(value: object, units: Mapping[str, int], what: str, example: str) -> int:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"`{value}` has no unit; write a number and a unit, such as `{example}`")
    text = value if isinstance(value, str) else ""
    match = _NUMBER.fullmatch(text)
    if match is None or match["unit"] not in units:
        known = ", ".join(f"`{unit}`" for unit in units)
        said = f"`{text}`" if isinstance(value, str) else "this"
        raise ValueError(f"{said} is not {what}; write a number and one of {known}, such as `{example}`")
    part = match["part"] or ""
    digits = int(match["whole"].replace("_", "") + part)
    exact, rest = divmod(digits * units[match["unit"]], int("1" + "0" * len(part)))
    if rest:
        raise ValueError(f"`{text}` is finer than this quantity can be; its smallest unit is `{_smallest(units)}`")
    return exact


def _smallest(units: Mapping[str, int]) -> str:
    return min(units, key=lambda unit: units[unit])
