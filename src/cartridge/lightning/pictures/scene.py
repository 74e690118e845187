"""A network laid out on a page: discs for nodes, lines for channels, words, in pixels. Frozen; no format knows more.

A channel is drawn in two colours that meet where its balance is split; several between two nodes are drawn apart.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from cartridge.lightning.pictures.layout import Point

INK, PAPER, FAINT = "#1f2430", "#ffffff", "#7a8294"
OURS, THEIRS, OFF = "#2f6fde", "#f0a032", "#c3c8d2"
"""Colours: of words, the page, small words; the opener's side of a channel, the other side, a channel that is off."""
DISC, MARGIN, APART = 13.0, 70.0, 9.0
"""Pixels: a node's radius, the page's border, between the lines of two nodes with several channels."""
LEAST, MOST, ROOM = 420, 1600, 110.0
"""Pixels: of a page's width, and the room one node gets in each direction."""
THINNEST, THICKEST = 2.5, 6.0
LABELLED = 40
"""Channels up to which each says what it holds, where they do not all hold the same."""


class Edge(Struct, frozen=True):
    """A channel to draw.

    Attributes:
        opener: place of that node.
        acceptor: place of the other one.
        capacity: satoshis in all.
        local: satoshis on the opener's side.
        active: whether it can be used.
    """

    opener: int
    acceptor: int
    capacity: int
    local: int
    active: bool = True


class Line(Struct, frozen=True):
    """A straight line of a colour."""

    start: Point
    end: Point
    colour: str
    width: float


class Disc(Struct, frozen=True):
    """A filled circle with a border of the page's colour."""

    centre: Point
    radius: float
    colour: str


class Words(Struct, frozen=True):
    """A text centred on a point."""

    text: str
    centre: Point
    size: int
    colour: str
    is_bold: bool = False


class Scene(Struct, frozen=True):
    """A page and what is on it, from back to front."""

    width: int
    height: int
    lines: tuple[Line, ...]
    discs: tuple[Disc, ...]
    words: tuple[Words, ...]


def scene(title: str, names: Sequence[str], edges: Sequence[Edge], *, at: Sequence[Point], live: bool) -> Scene:
    """Return a network laid out.

    Args:
        title: above it.
        names: of the nodes.
        edges: its channels.
        at: places of the nodes, from `layout.places`.
        live: whether balances are of now; says so below.
    """
    width = max(LEAST, min(MOST, int(ROOM * math.sqrt(len(names)) * 1.7 + 2 * MARGIN)))
    tall = max(y for _, y in at) - min(y for _, y in at)
    height = int(max(0.16, tall) * (width - 2 * MARGIN) + 2 * MARGIN + 40)
    middle = (max(y for _, y in at) + min(y for _, y in at)) / 2
    points = [(MARGIN + x * (width - 2 * MARGIN), height / 2 + 6 + (y - middle) * (width - 2 * MARGIN)) for x, y in at]
    lines, labels = _channels(points, edges)
    said = "balances of now" if live else "balances as written"
    sizes = {edge.capacity for edge in edges}
    each = f"of {_short(edges[0].capacity)}" if len(sizes) == 1 else f"with {_short(sum(e.capacity for e in edges))}"
    held = f"{len(names)} nodes, {len(edges)} channels {each} sat; {said}" if edges else f"{len(names)} nodes"
    words = [
        Words(title, (width / 2, 22), 18, INK, is_bold=True),
        Words(held, (width / 2, 44), 12, FAINT),
        *labels,
        *(Words(name, (x, y + DISC + 11), 13, INK) for name, (x, y) in zip(names, points, strict=True)),
    ]
    return Scene(width, height, tuple(lines), tuple(Disc(point, DISC, INK) for point in points), tuple(words))


def _channels(points: Sequence[Point], edges: Sequence[Edge]) -> tuple[list[Line], list[Words]]:
    between = Counter(frozenset((edge.opener, edge.acceptor)) for edge in edges)
    drawn: Counter[frozenset[int]] = Counter()
    sizes = [edge.capacity for edge in edges] or [1]
    largest, says = max(sizes), len(edges) <= LABELLED and min(sizes) < max(sizes)
    lines, labels = [], []
    for edge in edges:
        pair = frozenset((edge.opener, edge.acceptor))
        place = drawn[pair] - (between[pair] - 1) / 2
        start, end = _aside(points, edge, place)
        drawn[pair] += 1
        width = THINNEST + (THICKEST - THINNEST) * math.sqrt(edge.capacity / largest)
        share = edge.local / edge.capacity if edge.capacity else 0.5
        middle = _along(start, end, share)
        lines += [
            Line(start, middle, OURS if edge.active else OFF, width),
            Line(middle, end, THEIRS if edge.active else OFF, width),
        ]
        if says:
            labels.append(Words(_short(edge.capacity), _along(start, end, 0.5 + 0.08 * place), 11, INK))
    return lines, labels


def _aside(points: Sequence[Point], edge: Edge, place: float) -> tuple[Point, Point]:
    """Return the ends of a line, moved to the side by its place among those between the same nodes."""
    low, high = sorted((edge.opener, edge.acceptor))
    across, down = points[high][0] - points[low][0], points[high][1] - points[low][1]
    length = math.hypot(across, down) or 1.0
    step_x, step_y = -down / length * APART * place, across / length * APART * place
    moved = [(points[node][0] + step_x, points[node][1] + step_y) for node in (edge.opener, edge.acceptor)]
    return moved[0], moved[1]


def _along(start: Point, end: Point, share: float) -> Point:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _short(satoshis: int) -> str:
    """Return satoshis in few characters: `950`, `20k`, `1.5M`, `2.1G`."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if satoshis >= size:
            return f"{satoshis / size:.1f}".removesuffix(".0") + unit
    return str(satoshis)
