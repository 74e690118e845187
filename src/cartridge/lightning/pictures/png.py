"""A scene as PNG, drawn here pixel by pixel: what a graph needs, straight lines, discs and small letters. Pure.

Edges are smoothed by how much of a pixel is covered. Twice as many pixels as the scene, for sharp screens.
"""

from __future__ import annotations

import math
import struct
import zlib

from cartridge.lightning.pictures.letters import COLUMNS, ROWS, glyph
from cartridge.lightning.pictures.scene import PAPER, Disc, Line, Scene, Words

SCALE = 2
"""Pixels a unit of the scene."""
HALO = 1
"""Units of a letter's dot that are cleared around it."""


def png(scene: Scene) -> bytes:
    """Return the bytes of a PNG file."""
    canvas = _Canvas(scene.width * SCALE, scene.height * SCALE)
    for line in scene.lines:
        canvas.line(line)
    for disc in scene.discs:
        canvas.disc(Disc(disc.centre, disc.radius + 1.5, PAPER))
        canvas.disc(disc)
    for words in scene.words:
        canvas.words(words)
    return canvas.file()


class _Canvas:
    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._rows = [bytearray(bytes(_rgb(PAPER)) * width) for _ in range(height)]

    def line(self, line: Line) -> None:
        (x, y), (to_x, to_y) = ((at[0] * SCALE, at[1] * SCALE) for at in (line.start, line.end))
        half, length = line.width * SCALE / 2, math.hypot(to_x - x, to_y - y)
        if not length:
            return
        unit_x, unit_y = (to_x - x) / length, (to_y - y) / length
        is_steep = abs(unit_y) > abs(unit_x)
        reach = half / max(abs(unit_x), abs(unit_y)) + 1.5
        start, end, slope = (y, to_y, unit_x / unit_y) if is_steep else (x, to_x, unit_y / unit_x)
        colour = _rgb(line.colour)
        for along in range(int(min(start, end)), int(max(start, end)) + 1):
            centre = (x if is_steep else y) + (along + 0.5 - start) * slope
            for aside in range(int(centre - reach), int(centre + reach) + 1):
                at_x, at_y = (aside, along) if is_steep else (along, aside)
                off = abs((at_x + 0.5 - x) * unit_y - (at_y + 0.5 - y) * unit_x)
                self._blend(at_x, at_y, colour, half - off + 0.5)

    def disc(self, disc: Disc) -> None:
        x, y, radius = disc.centre[0] * SCALE, disc.centre[1] * SCALE, disc.radius * SCALE
        colour = _rgb(disc.colour)
        for at_y in range(int(y - radius - 1), int(y + radius + 2)):
            for at_x in range(int(x - radius - 1), int(x + radius + 2)):
                self._blend(at_x, at_y, colour, radius - math.hypot(at_x + 0.5 - x, at_y + 0.5 - y) + 0.5)

    def words(self, words: Words) -> None:
        dot = max(1, round(words.size * SCALE / 10))
        width = (len(words.text) * (COLUMNS + 1) - 1) * dot
        left, top = int(words.centre[0] * SCALE - width / 2), int(words.centre[1] * SCALE - 3.5 * dot)
        dots = [
            (left + (place * (COLUMNS + 1) + column) * dot, top + row * dot)
            for place, letter in enumerate(words.text)
            for row in range(ROWS)
            for column in range(COLUMNS)
            if glyph(letter)[row] >> (COLUMNS - 1 - column) & 1
        ]
        for x, y in dots:
            self._square(x - HALO * SCALE, y - HALO * SCALE, dot + 2 * HALO * SCALE, _rgb(PAPER))
        for x, y in dots:
            self._square(x, y, dot + words.is_bold, _rgb(words.colour))

    def _square(self, x: int, y: int, size: int, colour: tuple[int, int, int]) -> None:
        for at_y in range(y, y + size):
            for at_x in range(x, x + size):
                self._blend(at_x, at_y, colour, 1.0)

    def _blend(self, x: int, y: int, colour: tuple[int, int, int], covered: float) -> None:
        if covered <= 0 or not (0 <= x < self._width and 0 <= y < self._height):
            return
        row, share = self._rows[y], min(covered, 1.0)
        for part in range(3):
            old = row[3 * x + part]
            row[3 * x + part] = round(old + (colour[part] - old) * share)

    def file(self) -> bytes:
        head = struct.pack(">IIBBBBB", self._width, self._height, 8, 2, 0, 0, 0)
        body = zlib.compress(b"".join(b"\0" + row for row in self._rows), 9)
        return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
