"""Which format a file is in, by what is in it rather than by its name; and its reading."""

from __future__ import annotations

from cartridge.lightning.foreign import describegraph, polar, warnet
from cartridge.lightning.foreign.imported import Imported, unreadable

FORMATS = ("describegraph", "polar", "warnet")
"""Words for the formats that can be read."""


def read(path: str, name: str, raw: bytes, *, form: str | None = None, defaults: bytes | None = None) -> Imported:
    """Return the network in a file.

    Args:
        path: as the user typed it.
        name: to give it where the file has none.
        raw: content of the file.
        form: one of `FORMATS`; None to look what it is.
        defaults: content of a `node-defaults.yaml` beside it.

    Raises:
        InputError: `import-unreadable`.
    """
    match form or _guessed(raw):
        case "polar":
            return polar.read(path, name, raw)
        case "describegraph":
            return describegraph.read(path, name, raw)
        case "warnet":
            return warnet.read(path, name, raw, defaults)
        case _:
            raise unreadable(path, "it is none of the formats known here")


def _guessed(raw: bytes) -> str | None:
    if polar.is_archive(raw):
        return "polar"
    start = raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"{":
        return "describegraph" if b'"edges"' in raw else "polar" if b'"chart"' in raw else None
    return "warnet" if b"nodes:" in raw else None
