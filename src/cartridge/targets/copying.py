"""Copies of what components keep, made while they stand still: what every target can do, and files copied cheaply.

Says nothing about what a copy is for. A copy is never half there under its name without its maker knowing: it returns,
or raises.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, TypeAlias

Content: TypeAlias = bytes | Path
"""What a file is to hold: these bytes, or what the file at this path holds."""
Skip: TypeAlias = Callable[[PurePosixPath], bool]
"""Tells whether a file or folder, by its path in a data folder, is left out of a copy."""

_FICLONE = 0x40049409
"""ioctl(2) of Linux that lets two files share their blocks."""
_CHUNK = 1 << 18
_ZEROS = bytes(_CHUNK)


class Copier(Protocol):
    """Copies the data of the components of one stack. All pass tests/conformance/test_copier.py.

    Every method raises MissingError (`target-down`) when the target does not answer.
    """

    def freeze(self, components: Sequence[str], seconds: float) -> None:
        """Have components stand still and return once they do. Repeated, it adds to them and the time starts anew.

        They go on by themselves after `seconds`, even when this program is killed.

        Raises:
            ApplyError: `component-not-running`.
        """

    def thaw(self) -> frozenset[str]:
        """Let everything go on; return the components that stood still until now."""

    def copy(self, component: str, to: Path, skip: Skip) -> None:
        """Copy a component's data folder into the folder `to`, which is made (0700); files get mode 0600.

        Raises:
            OSError: no room.
        """


def read(content: Content) -> bytes:
    """Return the bytes of a content."""
    return content.read_bytes() if isinstance(content, Path) else content


def copy_tree(source: Path, to: Path, skip: Skip) -> None:
    """Copy the regular files of a folder into `to`; what is neither file nor folder is left out.

    Raises:
        OSError: no room, or no right to read.
    """
    _copy_folder(source, to, PurePosixPath(), skip)


def _copy_folder(source: Path, to: Path, place: PurePosixPath, skip: Skip) -> None:
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.scandir(source) as entries:
        for entry in entries:
            relative = place / entry.name
            if skip(relative):
                continue
            if entry.is_dir(follow_symlinks=False):
                _copy_folder(source / entry.name, to / entry.name, relative, skip)
            elif entry.is_file(follow_symlinks=False):
                copy_file(source / entry.name, to / entry.name)


def copy_file(source: Path, to: Path, mode: int = 0o600) -> None:
    """Copy a file to where there is none, sharing its blocks where the file system can; holes stay holes.

    Raises:
        OSError: it is there already, or there is no room.
    """
    with open(source, "rb") as reading, open(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as writing:
        if not _shares(reading.fileno(), writing.fileno()):
            _copy_data(reading.fileno(), writing.fileno())


def write_stream(stream: IO[bytes], to: Path) -> None:
    """Write what a stream holds to a new file of mode 0600; zeros become holes.

    Raises:
        OSError: it is there already, or there is no room.
    """
    with open(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as writing:
        offset = 0
        while data := stream.read(_CHUNK):
            if data != _ZEROS[: len(data)]:
                os.pwrite(writing.fileno(), data, offset)
            offset += len(data)
        writing.truncate(offset)


def _shares(reading: int, writing: int) -> bool:
    if sys.platform != "linux":
        return False
    with contextlib.suppress(OSError):
        fcntl.ioctl(writing, _FICLONE, reading)
        return True
    return False


def _copy_data(reading: int, writing: int) -> None:
    """Copy what holds more than zeros: bitcoind keeps 16 MiB for its first blocks and fills a few thousand bytes."""
    size, offset = os.fstat(reading).st_size, 0
    os.truncate(writing, size)
    while offset < size:
        try:
            offset = os.lseek(reading, offset, os.SEEK_DATA)
        except OSError:  # nothing but a hole is left
            return
        end = os.lseek(reading, offset, os.SEEK_HOLE)
        while offset < end:
            data = os.pread(reading, min(_CHUNK, end - offset), offset)
            if not data:
                return
            if data != _ZEROS[: len(data)]:
                os.pwrite(writing, data, offset)
            offset += len(data)
