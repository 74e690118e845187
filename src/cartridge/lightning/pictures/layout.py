"""Places for the nodes of a graph, so that near ones in the graph are near on the page. Pure; the same every time.

Stress majorization: each node moves to where its distances on the page fit those in the graph best, the near ones
weighing most. A line becomes a line, a ring a ring, a star a star.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence

ROUNDS = 1_000
"""Of moving every node once; later ones hardly move anything."""
MOST_WORK = 600_000
"""Pairs looked at, at most: larger graphs get fewer rounds."""

Point = tuple[float, float]


def places(count: int, edges: Sequence[tuple[int, int]]) -> list[Point]:
    """Return a place for each of `count` nodes, 0 to 1 across and down.

    Args:
        count: nodes, at least one.
        edges: pairs of their places in the list.
    """
    if count == 1:
        return [(0.5, 0.5)]
    near: dict[int, set[int]] = {node: set() for node in range(count)}
    for one, other in edges:
        near[one].add(other)
        near[other].add(one)
    distances = [_distances(near, node) for node in range(count)]
    farthest = max((steps for row in distances for steps in row if steps), default=1)
    whole = [[farthest + 1 if steps is None else steps for steps in row] for row in distances]
    found = _begin(whole)
    for _ in range(max(4, min(ROUNDS, MOST_WORK // (count * count)))):
        for node in range(count):
            found[node] = _moved(node, found, whole[node])
    return _upright(found)


def _distances(near: Mapping[int, set[int]], start: int) -> list[int | None]:
    """Return the steps from one node to each; None where no way leads."""
    found: list[int | None] = [None] * len(near)
    found[start] = 0
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for other in sorted(near[node]):
            if found[other] is None:
                found[other] = (found[node] or 0) + 1
                waiting.append(other)
    return found


def _begin(distances: Sequence[Sequence[int]]) -> list[Point]:
    """Return first places: how far each node is from three that are far from each other, with a little disorder."""
    nodes = range(len(distances))
    first = max(nodes, key=lambda node: (distances[0][node], -node))
    second = max(nodes, key=lambda node: (distances[first][node], -node))
    third = max(nodes, key=lambda node: (min(distances[first][node], distances[second][node]), -node))
    return [
        (
            (distances[first][node] - distances[second][node]) / 2 + 0.3 * math.cos(2.4 * node),
            0.3 * distances[third][node] + 0.3 * math.sin(2.4 * node),
        )
        for node in nodes
    ]


def _moved(node: int, found: Sequence[Point], distances: Sequence[int]) -> Point:
    """Return where the others would have a node."""
    x, y = found[node]
    total = across = down = 0.0
    for other, (at_x, at_y) in enumerate(found):
        if other == node:
            continue
        steps = distances[other]
        weight = 1 / (steps * steps)
        apart = math.hypot(x - at_x, y - at_y) or 1e-9
        across += weight * (at_x + steps * (x - at_x) / apart)
        down += weight * (at_y + steps * (y - at_y) / apart)
        total += weight
    return across / total, down / total


def _upright(found: Sequence[Point]) -> list[Point]:
    """Turn the points so that they are wider than high, and fit them into a square of 1 without stretching."""
    middle_x, middle_y = (sum(axis) / len(found) for axis in zip(*found, strict=True))
    moved = [(x - middle_x, y - middle_y) for x, y in found]
    spread_x, spread_y = sum(x * x for x, _ in moved), sum(y * y for _, y in moved)
    angle = math.atan2(2 * sum(x * y for x, y in moved), spread_x - spread_y) / 2
    sine, cosine = math.sin(-angle), math.cos(-angle)
    turned = [(x * cosine - y * sine, x * sine + y * cosine) for x, y in moved]
    if turned[0][0] > turned[-1][0]:  # the first node is on the left
        turned = [(-x, -y) for x, y in turned]
    size = max(abs(along) for point in turned for along in point) or 1.0
    return [(0.5 + x / size / 2, 0.5 + y / size / 2) for x, y in turned]
