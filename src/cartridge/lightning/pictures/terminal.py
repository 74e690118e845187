"""A network for a terminal: the graph in dots of braille with names on it, and each channel as a bar. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cartridge.lightning.pictures.layout import Point
from cartridge.lightning.pictures.scene import Edge

WIDEST, HIGHEST, LOWEST = 76, 22, 1
"""Characters of the graph across, and lines down at most and at least."""
DRAWN = 60
"""Nodes up to which there is a graph; more would be a blot."""
BAR = 24
"""Characters of a bar."""
FULL, REST = "█", "░"
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot in a braille character, by row and column."""
_BLANK = 0x2800


def graph(names: Sequence[str], edges: Sequence[Edge], at: Sequence[Point]) -> str:
    """Return the graph as lines of text, or "" where there are too many nodes to be told apart.

    Args:
        names: of the nodes.
        edges: the channels.
        at: places of the nodes, from `layout.places`.
    """
    if len(names) > DRAWN:
        return ""
    low, high = min(y for _, y in at), max(y for _, y in at)
    longest = max(map(len, names))
    across = WIDEST - longest - 3
    down = max(LOWEST, min(HIGHEST, round((high - low) * across / 2) + 1))
    cells = [(1 + x * (across - 1), (y - low) / ((high - low) or 1) * (down - 1)) for x, y in at]
    rows = [[_BLANK] * WIDEST for _ in range(down)]
    for edge in edges:
        for across_dots, down_dots in _dots(cells[edge.opener], cells[edge.acceptor]):
            rows[down_dots // 4][across_dots // 2] |= _DOTS[down_dots % 4][across_dots % 2]
    text = [["" if mark == _BLANK else chr(mark) for mark in row] for row in rows]
    lines = [[mark or " " for mark in row] for row in text]
    for name, (x, y) in sorted(zip(names, cells, strict=True), key=lambda pair: pair[1]):
        _put(lines[round(y)], round(x), f"●{name}")
    return "".join("".join(line).rstrip() + "\n" for line in lines)


def bars(names: Sequence[str], edges: Sequence[Edge]) -> str:
    """Return a line a channel: its ends with a bar between them, filled as far as the opener's side reaches."""
    width = max((len(names[edge.opener]) for edge in edges), default=0)
    other = max((len(names[edge.acceptor]) for edge in edges), default=0)
    digits = max((len(f"{edge.capacity:_}") for edge in edges), default=0)
    return "".join(_bars(names, edges, width, other, digits))


def _bars(names: Sequence[str], edges: Sequence[Edge], width: int, other: int, digits: int) -> Iterator[str]:
    for edge in edges:
        filled = round(BAR * edge.local / edge.capacity) if edge.capacity else 0
        bar = FULL * filled + REST * (BAR - filled)
        off = "" if edge.active else "  off"
        yield (
            f"{names[edge.opener]:>{width}} {bar} {names[edge.acceptor]:<{other}}"
            f"  {edge.local:>{digits}_} of {edge.capacity:>{digits}_} sat{off}\n"
        )


def _dots(start: Point, end: Point) -> Iterator[tuple[int, int]]:
    """Yield the dots of a line between the middles of two cells."""
    x, y = start[0] * 2 + 1, start[1] * 4 + 2
    to_x, to_y = end[0] * 2 + 1, end[1] * 4 + 2
    steps = max(1, round(max(abs(to_x - x), abs(to_y - y))))
    for step in range(steps + 1):
        yield round(x + (to_x - x) * step / steps), round(y + (to_y - y) * step / steps)


def _put(line: list[str], at: int, text: str) -> None:
    """Write a text into a line, one blank after it, but over no other node's."""
    for place, letter in enumerate((*text, " "), start=at):
        if place >= len(line) or line[place] == "●":
            return
        line[place] = letter
