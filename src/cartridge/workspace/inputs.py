"""The bytes of the files a workspace is read from, bounded, and their digests. Parses nothing, imports nothing heavy.

`inputs` is what the unchanged `up` asks: which files would be read, and are they the same.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from cartridge.workspace.project import Project, cartridge_files, stack_files

MAX_BYTES = 1024 * 1024
"""The largest document or template that is read."""

STDIN = "-"
"""The name `-f` gives standard input."""

LOCK = "cartridge.lock"


class TooLargeError(Exception):
    """A file is larger than `MAX_BYTES`; nothing of it was kept."""


def inputs(project: Project, files: tuple[str, ...] = ()) -> Mapping[str, str]:
    """Return the SHA-256 (hex) of every file that a workspace would be read from, by path.

    A file that cannot be read has the digest `unreadable`, so that mending it is a change. Documents of the project
    and of the installation are named relative to its root, those of `-f` as typed.

    Args:
        project: where documents are.
        files: paths given with `-f`; `-` is standard input.
    """
    found = {name: digest(Path(name)) for name in files}
    for number, root in enumerate(project.roots):
        shipped = "shipped:" if number else ""
        found |= {f"{shipped}{path.relative_to(root).as_posix()}": digest(path) for path in _paths(root)}
    return found


def digest(path: Path) -> str:
    """Return the SHA-256 (hex) of a file, or `unreadable`."""
    try:
        return hashlib.sha256(content(path)).hexdigest()
    except (OSError, ValueError, TooLargeError):  # ValueError: a path with a NUL in it
        return "unreadable"


def content(path: Path) -> bytes:
    """Return the bytes of a file; what can be read only once (standard input, a pipe) is kept for the next call.

    Raises:
        OSError: it cannot be read, or is a folder.
        ValueError: what was given cannot be a path.
        TooLargeError: it is larger than `MAX_BYTES`; known from its size before it is read, where it has one.
    """
    if str(path) == STDIN:
        return _once(STDIN)
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        return _once(str(path))
    if status.st_size > MAX_BYTES:
        raise TooLargeError
    with open(path, "rb") as file:
        return _bounded(file.read(MAX_BYTES + 1))


@cache
def _once(name: str) -> bytes:
    if name == STDIN:
        return _bounded(sys.stdin.buffer.read(MAX_BYTES + 1))
    with open(name, "rb") as file:
        return _bounded(file.read(MAX_BYTES + 1))


def _bounded(raw: bytes) -> bytes:
    if len(raw) > MAX_BYTES:
        raise TooLargeError
    return raw


def _paths(root: Path) -> Iterator[Path]:
    yield from cartridge_files(root)
    yield from stack_files(root)
    for folder, folders, names in os.walk(root / "templates"):
        folders.sort()
        yield from (Path(folder) / name for name in sorted(names) if not name.startswith("."))
    if (root / LOCK).is_file():
        yield root / LOCK
