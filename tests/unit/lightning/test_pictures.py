"""Pictures: near nodes are near, every format draws what is there, and the same network the same way."""

from __future__ import annotations

import math
import struct
import xml.etree.ElementTree as ET
import zlib
from itertools import pairwise

from cartridge.lightning.pictures.layout import places
from cartridge.lightning.pictures.png import png
from cartridge.lightning.pictures.scene import OURS, THEIRS, Edge, Scene, scene
from cartridge.lightning.pictures.svg import svg
from cartridge.lightning.pictures.terminal import bars, graph

NAMES = ("alice", "bob", "carol")
EDGES = (Edge(0, 1, 1_000_000, 750_000), Edge(1, 2, 4_000_000, 0, active=False))


def drawn() -> Scene:
    at = places(3, [(0, 1), (1, 2)])
    return scene("<three>", NAMES, EDGES, at=at, live=True)


def test_a_line_is_drawn_as_one_from_left_to_right() -> None:
    at = places(6, list(pairwise(range(6))))

    assert [x for x, _ in at] == sorted(x for x, _ in at)
    assert max(y for _, y in at) - min(y for _, y in at) < 0.05


def test_a_ring_is_drawn_as_one() -> None:
    at = places(8, [(place, (place + 1) % 8) for place in range(8)])

    middle = (sum(x for x, _ in at) / 8, sum(y for _, y in at) / 8)
    radii = [math.dist(middle, point) for point in at]
    assert max(radii) < 1.1 * min(radii)


def test_nodes_without_a_way_between_them_have_places_apart() -> None:
    at = places(4, [(0, 1)])

    assert min(math.dist(one, other) for place, one in enumerate(at) for other in at[:place]) > 0.1


def test_one_node_is_in_the_middle() -> None:
    assert places(1, []) == [(0.5, 0.5)]


def test_two_colours_meet_where_a_channel_is_split() -> None:
    lines = drawn().lines

    ours, theirs = lines[0], lines[1]
    assert (ours.colour, theirs.colour, ours.end) == (OURS, THEIRS, theirs.start)
    assert math.isclose(math.dist(ours.start, ours.end), 3 * math.dist(theirs.start, theirs.end))


def test_svg_holds_every_node_and_channel_and_is_well_formed() -> None:
    root = ET.fromstring(svg(drawn()))

    kinds = [element.tag.partition("}")[2] for element in root.iter()]
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert (kinds.count("circle"), kinds.count("line")) == (3, 4)
    assert texts == [
        "<three>",
        "3 nodes, 2 channels with 5M sat; balances of now",
        "1M",
        "4M",
        "alice",
        "bob",
        "carol",
    ]


def test_png_is_a_picture_of_the_promised_size_with_the_promised_colours() -> None:
    picture = drawn()

    raw = png(picture)

    width, height = struct.unpack(">II", raw[16:24])
    size = struct.unpack(">I", raw[33:37])[0]
    pixels = zlib.decompress(raw[41 : 41 + size])
    assert raw.startswith(b"\x89PNG\r\n\x1a\n")
    assert (width, height) == (2 * picture.width, 2 * picture.height)
    assert len(pixels) == height * (3 * width + 1)
    assert {bytes.fromhex(colour[1:]) for colour in (OURS, THEIRS)} <= {
        pixels[at : at + 3]
        for row in range(height)
        for at in range(row * (3 * width + 1) + 1, (row + 1) * (3 * width + 1), 3)
    }


def test_a_terminal_shows_names_with_lines_between_and_a_bar_a_channel() -> None:
    at = places(3, [(0, 1), (1, 2)])

    text = graph(NAMES, EDGES, at)

    assert all(f"●{name}" in text for name in NAMES)
    assert any("\u2800" < letter <= "\u28ff" for letter in text)
    assert bars(NAMES, EDGES) == (
        "alice ██████████████████░░░░░░ bob      750_000 of 1_000_000 sat\n"
        "  bob ░░░░░░░░░░░░░░░░░░░░░░░░ carol          0 of 4_000_000 sat  off\n"
    )


def test_a_graph_that_would_be_a_blot_is_not_drawn_in_a_terminal() -> None:
    names = [f"n{place}" for place in range(61)]

    assert graph(names, [], [(0.5, 0.5)] * 61) == ""
