"""A network block as written to one with every generated node and channel in it. Pure and the same everywhere.

Chance comes from SHA-256 of the seed, not from a generator of Python's, so a seed means the same network on every
version and machine. What is written by hand comes first and wins: a node under a generated name replaces it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, cycle

from cartridge.errors import Finding
from cartridge.model.generate import MOST_CHANNELS, SCALE_FREE, Generate
from cartridge.model.network import Channel, Network, Node
from cartridge.workspace.source import Path, Source

Pair = tuple[int, int]
"""A channel by the places of its ends among the generated nodes; the first one opens it."""
LEAST_RING, LONGEST_NAME = 3, 40
"""Nodes; characters."""
AT: Path = ("network", "generate")
"""Where in a document the generator stands."""


def expand(network: Network | None, source: Source) -> tuple[Network | None, tuple[Finding, ...]]:
    """Return the network with nothing left to generate, and what is impossible about the numbers.

    Args:
        network: as written.
        source: of its document.
    """
    if network is None:
        return None, ()
    if network.generate is None:
        return network, () if network.nodes else (_nobody(source),)
    impossible = tuple(_impossible(network.generate, source))
    if impossible:
        return network.model_copy(update={"generate": None}), impossible
    made = generated(network.generate)
    nodes = {**made.nodes, **network.nodes}
    channels = (*network.channels, *made.channels)
    return network.model_copy(update={"generate": None, "nodes": nodes, "channels": channels}), ()


def generated(block: Generate) -> Network:
    """Return the nodes and channels of a shape whose numbers are possible."""
    names = node_names(block)
    nodes = {
        name: Node.model_construct(implementation=implementation, balance=block.balance)
        for name, implementation in zip(names, cycle(block.implementation), strict=False)
    }
    channels = tuple(
        Channel.model_construct(
            from_=names[opener], to=names[other], capacity=block.capacity, push=block.push, private=block.private
        )
        for opener, other in SHAPES[block.shape](block)
    )
    return Network.model_construct(nodes=nodes, channels=channels)


def node_names(block: Generate) -> tuple[str, ...]:
    """Return the names of the generated nodes: those given, then prefix and number, counted from 1."""
    numbered = (f"{block.prefix}{number}" for number in range(len(block.names) + 1, block.nodes + 1))
    return (*block.names, *numbered)


def _line(block: Generate) -> Iterator[Pair]:
    return ((place, place + 1) for place in range(block.nodes - 1))


def _ring(block: Generate) -> Iterator[Pair]:
    return ((place, (place + 1) % block.nodes) for place in range(block.nodes))


def _star(block: Generate) -> Iterator[Pair]:
    return ((place, 0) for place in range(1, block.nodes))


def _mesh(block: Generate) -> Iterator[Pair]:
    return combinations(range(block.nodes), 2)


def _random(block: Generate) -> Iterator[Pair]:
    """Each node joins one before it, so that all are connected; then pairs by chance, none twice."""
    return _joined(block, lambda place, _: _chance(place, block.seed, "join", place))


def _scale_free(block: Generate) -> Iterator[Pair]:
    """Each node joins one before it, the likelier the more channels that one has; then pairs in the same way."""

    def join(place: int, ends: list[int]) -> int:
        return ends[_chance(len(ends), block.seed, "join", place)] if ends else 0

    return _joined(block, join)


SHAPES: Mapping[str, Callable[[Generate], Iterator[Pair]]] = {
    "line": _line,
    "ring": _ring,
    "star": _star,
    "mesh": _mesh,
    "random": _random,
    SCALE_FREE: _scale_free,
}


BY_CHANCE = frozenset({"random", SCALE_FREE})
"""The shapes in which the seed decides."""


def _joined(block: Generate, join: Callable[[int, list[int]], int]) -> Iterator[Pair]:
    """Yield a tree over all nodes, then further channels until there are enough.

    Args:
        block: what is asked for.
        join: returns which earlier node one joins; is given its place, and each end of each channel so far.
    """
    taken: set[frozenset[int]] = set()
    ends: list[int] = []
    for place in range(1, block.nodes):
        pair = (place, join(place, ends))
        taken.add(frozenset(pair))
        ends += pair
        yield pair
    draw = 0
    while len(taken) < channel_count(block):
        one = _chance(block.nodes, block.seed, "from", draw)
        other = (
            ends[_chance(len(ends), block.seed, "to", draw)]
            if block.shape == SCALE_FREE
            else _chance(block.nodes, block.seed, "to", draw)
        )
        draw += 1
        if one != other and frozenset((one, other)) not in taken:
            taken.add(frozenset((one, other)))
            ends += (one, other)
            yield one, other


def channel_count(block: Generate) -> int:
    """Return how many channels a generator makes."""
    pairs = block.nodes * (block.nodes - 1) // 2
    match block.shape:
        case "line" | "star":
            return block.nodes - 1
        case "ring":
            return block.nodes
        case "mesh":
            return pairs
        case _:
            return min(pairs, 2 * block.nodes) if block.channels is None else block.channels


def _chance(below: int, *words: object) -> int:
    """Return a number from 0 to `below` - 1 that these words decide."""
    digest = hashlib.sha256("/".join(map(str, words)).encode()).digest()
    return int.from_bytes(digest[:8]) % below


def _nobody(source: Source) -> Finding:
    said, resolution = "the network has no nodes", "write `nodes`, or let them be made with `generate`"
    return source.finding("network-empty", said, ("network", "nodes"), key=True, resolution=resolution)


def _impossible(block: Generate, source: Source) -> Iterator[Finding]:
    """Yield what no network can be."""
    for key, brief, resolution in (*_wrong_numbers(block), *_wrong_names(block)):
        yield source.finding("generate-impossible", brief, (*AT, key), resolution=resolution)


def _wrong_numbers(block: Generate) -> Iterator[tuple[str, str, str]]:
    """Yield key, brief and resolution of each number that cannot be."""
    least, pairs, count = block.nodes - 1, block.nodes * (block.nodes - 1) // 2, channel_count(block)
    if block.shape == "ring" and block.nodes < LEAST_RING:
        yield "nodes", f"a ring of {block.nodes} nodes is none", f"write {LEAST_RING} or more, or `shape: line`"
    if block.shape not in BY_CHANCE and block.channels not in {None, count}:
        brief = f"a {block.shape} of {block.nodes} nodes has {count} channels, not {block.channels}"
        yield "channels", brief, "leave `channels` out, or write `shape: random`"
    elif count < least:
        brief = f"{block.nodes} nodes need {least} channels to be connected"
        yield "channels", brief, f"write a number from {least} to {pairs}"
    elif count > pairs and block.shape in BY_CHANCE:
        brief = f"{block.nodes} nodes have {pairs} pairs, and a generated channel is the only one of its pair"
        yield "channels", brief, f"write a number from {least} to {pairs}"
    if count > MOST_CHANNELS:
        brief = f"a {block.shape} of {block.nodes} nodes has {count:_} channels"
        yield "nodes", brief, f"ask for fewer nodes: a generator makes at most {MOST_CHANNELS:_} channels"


def _wrong_names(block: Generate) -> Iterator[tuple[str, str, str]]:
    """Yield key, brief and resolution of names that cannot be."""
    names = node_names(block)
    if len(block.names) > block.nodes:
        brief = f"there are {len(block.names)} names for {block.nodes} nodes"
        yield "names", brief, f"write `nodes: {len(block.names)}`, or fewer names"
    elif len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        yield "names", f"two generated nodes are called `{twice}`", "give each another name, or another prefix"
    if len(longest := f"{block.prefix}{block.nodes}") > LONGEST_NAME:
        brief = f"`{longest}` is longer than a name can be"
        yield "prefix", brief, f"shorten it: a name has at most {LONGEST_NAME} characters"
