"""Colour and aligned columns for text answers. Readable without colour; adds no meaning a plain reader would miss."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct


class Ink(StrEnum):
    """The few colours there are: red fails, yellow warns, green is fine, cyan hints."""

    RED = "31"
    YELLOW = "33"
    GREEN = "32"
    CYAN = "36"
    BOLD = "1"
    DIM = "2"


INK_OF_STATE: dict[str, Ink] = {
    **dict.fromkeys(("ready", "running", "done", "passed", "kept"), Ink.GREEN),
    **dict.fromkeys(("pending", "starting", "degraded", "could_not_run", "unknown", "skipped", "drifted"), Ink.YELLOW),
    **dict.fromkeys(("failed", "stopped", "absent"), Ink.RED),
}
"""Which colour a word of state has, where it has one."""


class Style(Struct, frozen=True):
    """Paints text, or leaves it alone where `coloured` is false."""

    coloured: bool = False

    def paint(self, text: str, *inks: Ink) -> str:
        """Return `text` in these colours."""
        if not (self.coloured and inks and text):
            return text
        return f"\x1b[{';'.join(inks)}m{text}\x1b[0m"

    def state(self, word: str) -> str:
        """Return a word of state in its colour."""
        ink = INK_OF_STATE.get(word)
        return self.paint(word, ink) if ink else word

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], *, states: int | None = None) -> str:
        """Return aligned columns with a head line, each line ending in a line feed.

        Args:
            head: column titles.
            rows: cells, as many as there are titles; an empty one is shown as a dash, but for the last.
            states: the column that holds words of state and is coloured, if any.
        """
        rows = [[" ".join(cell.split()) or "-" for cell in row[:-1]] + [" ".join(row[-1].split())] for row in rows]
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines = [self.paint(_line(head, widths), Ink.BOLD)]
        for row in rows:
            padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            if states is not None:
                padded[states] = self.state(row[states]) + " " * (widths[states] - len(row[states]))
            lines.append("  ".join(padded).rstrip())
        return "\n".join(lines) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def count(number: int, noun: str) -> str:
    """Return `1 component`, `3 components`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def elapsed(seconds: float) -> str:
    """Return a duration as people read it: `0.2 s`, `4.2 s`, `42 s`, `5 m 27 s`, `2 h 05 m`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} m"
