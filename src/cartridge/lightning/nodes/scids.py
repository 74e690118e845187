"""Short channel ids (BOLT 7): a number for programs, `103x1x0` for people. Knows no node."""

from __future__ import annotations


def number_of(text: str) -> int:
    """Return a short channel id such as `103x1x0` as a number."""
    block, transaction, output = (int(part) for part in text.split("x"))
    return block << 40 | transaction << 16 | output


def short_id(number: int) -> str:
    """Return a short channel id as people write it: block x transaction x output; "" for 0."""
    return f"{number >> 40}x{number >> 16 & 0xFFFFFF}x{number & 0xFFFF}" if number else ""
