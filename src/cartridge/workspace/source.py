"""A document's text together with where each key and value of it stands.

Turns a path into data (`("components", "lnd", "ports")`) into a mark and a finding. Never reads a file and never
judges what the data mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from cartridge.errors import Finding, Mark, Severity

Path = tuple[str | int, ...]
"""The way from a document's root to a value: keys and, for lists, indices from 0."""


class Spot:
    """Where a value stands (line and column from 0) and, for a mapping or list, where what is in it does."""

    __slots__ = ("column", "inside", "keys", "line")

    def __init__(self, line: int, column: int) -> None:
        self.line, self.column = line, column
        self.keys: dict[str, tuple[int, int]] = {}
        self.inside: dict[str | int, Spot] = {}


@dataclass(frozen=True)
class Source:
    """One document as it was read.

    Attributes:
        path: the file as the user would type it.
        text: all of it.
        spot: where the root value stands.
    """

    path: str
    text: str = field(repr=False)
    spot: Spot = field(default_factory=lambda: Spot(0, 0), repr=False)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The text by line, without line ends."""
        return tuple(self.text.splitlines())

    def mark(self, path: Path = (), *, key: bool = False) -> Mark:
        """Return where the value at `path` stands, or its key; the nearest enclosing one where there is none.

        A whole mapping or list is marked at its key, which says more than its first entry would.
        """
        spot, at = self.spot, (self.spot.line, self.spot.column)
        for index, step in enumerate(path):
            named = spot.keys.get(step) if isinstance(step, str) else None
            below = spot.inside.get(step)
            if below is None:
                at = named or at
                break
            last = index == len(path) - 1
            use_key = named is not None and ((key and last) or below.inside)
            at = named if named is not None and use_key else (below.line, below.column)
            spot = below
        return Mark(self.path, at[0] + 1, at[1] + 1)

    def snippet(self, mark: Mark) -> str:
        """Return the line `mark` is on, as written."""
        return self.lines[mark.line - 1] if 0 < mark.line <= len(self.lines) else ""

    def finding(
        self,
        code: str,
        brief: str,
        path: Path = (),
        *,
        key: bool = False,
        resolution: str = "",
        severity: Severity = Severity.ERROR,
    ) -> Finding:
        """Return a finding at `path` (or at its key), with the line it is on."""
        return self.at(code, brief, self.mark(path, key=key), resolution=resolution, severity=severity)

    def at(
        self, code: str, brief: str, mark: Mark, *, resolution: str = "", severity: Severity = Severity.ERROR
    ) -> Finding:
        """Return a finding at a mark in this document, with the line it is on."""
        return Finding(code, brief, mark, resolution, self.snippet(mark), severity)
