"""Reads a component's log across its rotated files, oldest first, and goes on where it was when it grows.

Only reads; never misses or repeats a byte that is still kept, even if the files are moved meanwhile.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from cartridge.targets.process import wire

_CHUNK = 1 << 16


class Reader:
    """A position in a log.

    Args:
        path: the newest file; older ones have `.1`, `.2` added.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = deque(self._newer_than(None))

    def read(self) -> bytes:
        """Return the next bytes; none when there are no more at present."""
        while self._files or self._open_first():
            data = self._files[0].read(_CHUNK)
            if data:
                return data
            if len(self._files) == 1:
                newer = self._newer_than(_inode(self._files[0]))
                if not newer:
                    return b""
                self._files.extend(newer)
                data = self._files[0].read(_CHUNK)  # what was written between our look and the rotation
                if data:
                    return data
            self._files.popleft().close()
        return b""

    def close(self) -> None:
        """Close the files."""
        while self._files:
            self._files.pop().close()

    def _open_first(self) -> bool:
        self._files.extend(self._newer_than(None))
        return bool(self._files)

    def _newer_than(self, known: int | None) -> list[BinaryIO]:
        """Open the files younger than the one with inode `known`, oldest first; a rotation under way does no harm."""
        found: dict[int, BinaryIO] = {}
        for number in range(wire.LOG_FILES):
            path = self._path if number == 0 else self._path.with_name(f"{self._path.name}.{number}")
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue
            inode = _inode(file)
            if inode == known:
                file.close()
                break
            if inode in found:
                file.close()
                continue
            found[inode] = file
        return list(reversed(found.values()))


def lines(path: Path, tail: int | None, more: Callable[[], bool] | None = None) -> Iterator[bytes]:
    """Yield the lines of a log without their ends, oldest first.

    Args:
        path: the newest file.
        tail: only the last so many of those that are there now.
        more: called when there are no more at present: waits a little, and returns False when none will come;
            None ends with what is there.
    """
    reader, rest = Reader(path), b""
    try:
        present: deque[bytes] = deque(maxlen=tail)
        for line, whole in _split(_until_empty(reader), b""):
            if whole or more is None:
                present.append(line)
            else:
                rest = line
        yield from present
        going_on = more is not None
        while going_on:
            going_on = more is not None and more()
            for line, whole in _split(_until_empty(reader), rest):
                rest = b"" if whole else line
                if whole:
                    yield line
        if rest:
            yield rest
    finally:
        reader.close()


def _until_empty(reader: Reader) -> Iterator[bytes]:
    while data := reader.read():
        yield data


def _split(chunks: Iterator[bytes], rest: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield each line and whether it has its end; the last one may not."""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line, True
    if rest:
        yield rest, False


def _inode(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_ino
