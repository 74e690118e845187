"""Copies of what components keep, made while they stand still: what every target can do, and files copied cheaply.

A copy has two passes. The first runs beside the components and takes the files that nobody seems to write; the second,
while they stand still, takes all others and whatever has changed since.

Says nothing about what a copy is for. A copy is never half there under its name without its maker knowing: it returns,
or raises.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, TypeAlias

from msgspec import Struct

Content: TypeAlias = bytes | Path
"""What a file is to hold: these bytes, or what the file at this path holds."""
Skip: TypeAlias = Callable[[PurePosixPath], bool]
"""Tells whether a file or folder, by its path in a data folder, is left out of a copy."""

SETTLED = 2.0
"""Seconds without a change after which the first pass takes a file; a file system's clock ticks far more often."""
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

    def prepare(self, component: str, to: Path, skip: Skip) -> None:
        """Copy ahead what seems to rest, so that `copy` into the same folder takes less time; may do nothing.

        Raises:
            OSError: no room.
        """

    def copy(self, component: str, to: Path, skip: Skip) -> None:
        """Copy a component's data folder into the folder `to`, which is made (0700); files get mode 0600.

        Raises:
            OSError: no room.
        """


def read(content: Content) -> bytes:
    """Return the bytes of a content."""
    return content.read_bytes() if isinstance(content, Path) else content


class Stamp(Struct, frozen=True):
    """What tells that a file was not written: every write moves its time of change, which nobody can set back."""

    inode: int
    size: int
    changed: int


Ahead: TypeAlias = Mapping[PurePosixPath, Stamp]
"""What a first pass copied, as it was right before."""


def copy_ahead(source: Path, to: Path, skip: Skip, now: float) -> Ahead:
    """Copy the files that have not changed for a while, out of a folder that is in use, and return them.

    Args:
        source: the folder; what vanishes from it meanwhile is left out.
        to: the copy, still incomplete.
        skip: what to leave out.
        now: seconds since 1970.

    Raises:
        OSError: no room, or no right to read.
    """
    copied: dict[PurePosixPath, Stamp] = {}
    for place, entry in _files(source, to, skip):
        with contextlib.suppress(FileNotFoundError):
            stamp = _stamp(entry)
            if stamp.changed < (now - SETTLED) * 1e9:
                copy_file(source / place, to / place)
                copied[place] = stamp
    return copied


def copy_tree(source: Path, to: Path, skip: Skip, ahead: Ahead | None = None) -> None:
    """Copy the regular files of a folder into `to`; what is neither file nor folder is left out.

    Args:
        source: the folder, which nobody uses.
        to: the copy.
        skip: what to leave out.
        ahead: what `copy_ahead` has put there; what has changed since is copied again, what is gone is removed.

    Raises:
        OSError: no room, or no right to read.
    """
    old = dict(ahead or {})
    for place, entry in _files(source, to, skip):
        before = old.pop(place, None)
        if before is not None and before == _stamp(entry):
            continue
        if before is not None:
            (to / place).unlink()
        copy_file(source / place, to / place)
    for place in old:
        (to / place).unlink()


def _files(source: Path, to: Path, skip: Skip) -> Iterator[tuple[PurePosixPath, os.DirEntry[str]]]:
    """Yield the regular files of a folder, and make the folders they will lie in."""
    folders = [PurePosixPath()]
    while folders:
        folder = folders.pop()
        (to / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.scandir(source / folder) as entries:
            for entry in entries:
                place = folder / entry.name
                if skip(place):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(place)
                elif entry.is_file(follow_symlinks=False):
                    yield place, entry


def _stamp(entry: os.DirEntry[str]) -> Stamp:
    seen = entry.stat(follow_symlinks=False)
    return Stamp(seen.st_ino, seen.st_size, seen.st_ctime_ns)


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
