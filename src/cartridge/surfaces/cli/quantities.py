"""Amounts as words of a command line: `1000 sat` and `"1000 sat"` are the same."""

from __future__ import annotations

from collections.abc import Sequence

from cartridge.errors import InputError


def amount_of(words: Sequence[str]) -> int:
    """Return millisatoshi from one or two words.

    Raises:
        InputError: `amount-wrong`.
    """
    from cartridge.model.units import parse_amount

    try:
        return parse_amount(" ".join(words))
    except ValueError as error:
        brief, _, resolution = str(error).partition("; ")
        raise InputError(brief, code="amount-wrong", resolution=resolution) from error


def amount_text(millisatoshi: int) -> str:
    """Return the amount as people write it."""
    from cartridge.model.units import format_amount

    return format_amount(millisatoshi)
