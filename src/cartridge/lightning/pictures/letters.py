"""Small letters for PNG: five dots wide and nine high, the last two for what hangs below the line."""

from __future__ import annotations

COLUMNS, ROWS = 5, 9

_ROWS = {
    " ": "",
    "a": "00 00 0E 01 0F 11 0F",
    "b": "10 10 16 19 11 11 1E",
    "c": "00 00 0E 10 10 11 0E",
    "d": "01 01 0D 13 11 11 0F",
    "e": "00 00 0E 11 1F 10 0E",
    "f": "06 09 08 1C 08 08 08",
    "g": "00 00 0F 11 11 11 0F 01 0E",
    "h": "10 10 16 19 11 11 11",
    "i": "04 00 0C 04 04 04 0E",
    "j": "02 00 06 02 02 02 02 12 0C",
    "k": "10 10 12 14 18 14 12",
    "l": "0C 04 04 04 04 04 0E",
    "m": "00 00 1A 15 15 15 15",
    "n": "00 00 16 19 11 11 11",
    "o": "00 00 0E 11 11 11 0E",
    "p": "00 00 1E 11 11 11 1E 10 10",
    "q": "00 00 0F 11 11 11 0F 01 01",
    "r": "00 00 16 19 10 10 10",
    "s": "00 00 0F 10 0E 01 1E",
    "t": "08 08 1C 08 08 09 06",
    "u": "00 00 11 11 11 13 0D",
    "v": "00 00 11 11 11 0A 04",
    "w": "00 00 11 11 15 15 0A",
    "x": "00 00 11 0A 04 0A 11",
    "y": "00 00 11 11 11 11 0F 01 0E",
    "z": "00 00 1F 02 04 08 1F",
    "0": "0E 11 13 15 19 11 0E",
    "1": "04 0C 04 04 04 04 0E",
    "2": "0E 11 01 02 04 08 1F",
    "3": "1F 02 04 02 01 11 0E",
    "4": "02 06 0A 12 1F 02 02",
    "5": "1F 10 1E 01 01 11 0E",
    "6": "06 08 10 1E 11 11 0E",
    "7": "1F 01 02 04 08 08 08",
    "8": "0E 11 11 0E 11 11 0E",
    "9": "0E 11 11 0F 01 02 0C",
    "-": "00 00 00 1F 00 00 00",
    ".": "00 00 00 00 00 0C 0C",
    ",": "00 00 00 00 00 0C 04 08",
    ";": "00 0C 0C 00 00 0C 04 08",
    "M": "11 1B 15 15 11 11 11",
    "G": "0E 11 10 17 11 11 0F",
    "?": "0E 11 01 02 04 00 04",
}
_GLYPHS = {
    letter: tuple(int(row, 16) for row in rows.split()) + (0,) * (ROWS - len(rows.split()))
    for letter, rows in _ROWS.items()
}


def glyph(letter: str) -> tuple[int, ...]:
    """Return a letter's rows from the top, a bit a dot, the leftmost highest; `?` for a letter that is not there."""
    return _GLYPHS.get(letter) or _GLYPHS.get(letter.lower()) or _GLYPHS["?"]
