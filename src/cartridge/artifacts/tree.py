"""A folder's content as a value: its digest, a cheap stamp of every file, making it read-only, removing it.

The digest covers names, kinds, the executable bit, bytes and link targets, in sorted order; owners, dates and
other mode bits do not count, because unpacking as another user must give the same digest. Never follows a link.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

Stamps = Mapping[str, tuple[int, int]]
"""Relative path of each regular file → its size and modification time in nanoseconds."""


def sri(digest: bytes) -> str:
    """Return a SHA-256 digest in the form `sha256-<base64>`."""
    return "sha256-" + base64.b64encode(digest).decode()


def sri_from_hex(digest: str) -> str:
    """Return a SHA-256 in hex as SRI."""
    return sri(bytes.fromhex(digest))


def short(digest: str) -> str:
    """Return 32 characters of an SRI that are safe in a file's name."""
    return base64.b64decode(digest.removeprefix("sha256-")).hex()[:32]


def file_digest(path: Path) -> bytes:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def walk(root: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield every entry below `root` with its relative path, sorted by that path's components."""
    pending = [("", root.as_posix())]
    while pending:
        prefix, folder = pending.pop()
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        for entry in entries:
            yield prefix + entry.name, entry
        pending.extend(
            (f"{prefix}{entry.name}/", entry.path) for entry in reversed(entries) if entry.is_dir(follow_symlinks=False)
        )


def digest(root: Path) -> str:
    """Return the SRI of everything below `root`."""
    lines = []
    for name, entry in walk(root):
        if entry.is_symlink():
            lines.append(f"link {name} {os.readlink(entry.path)}")
        elif entry.is_dir(follow_symlinks=False):
            lines.append(f"folder {name}")
        else:
            kind = "program" if entry.stat().st_mode & stat.S_IXUSR else "file"
            lines.append(f"{kind} {name} {file_digest(Path(entry.path)).hex()}")
    return sri(hashlib.sha256("\0".join(sorted(lines)).encode("utf-8", "surrogateescape")).digest())


def stamps(root: Path) -> dict[str, tuple[int, int]]:
    """Return the size and modification time of every regular file below `root`."""
    found = {}
    for name, entry in walk(root):
        if entry.is_file(follow_symlinks=False):
            status = entry.stat(follow_symlinks=False)
            found[name] = (status.st_size, status.st_mtime_ns)
    return found


def first_difference(root: Path, wanted: Stamps) -> str:
    """Return what is wrong with the first file that is not as stamped, or "" where all are.

    Looks at sizes and dates only; `digest` is the thorough way.
    """
    prefix = f"{root}/"
    for name, (size, modified) in wanted.items():
        try:
            status = os.lstat(prefix + name)
        except OSError:
            return f"`{name}` is gone"
        if status.st_size != size:
            return f"`{name}` has {status.st_size} bytes instead of {size}"
        if status.st_mtime_ns != modified:
            return f"`{name}` was modified"
    return ""


def freeze(root: Path) -> None:
    """Make everything below `root` read-only for everybody, programs runnable by everybody.

    `root` itself stays writable, so that it can still be renamed; see `Store.commit`.
    """
    for _, entry in walk(root):
        if entry.is_symlink():
            continue
        is_folder = entry.is_dir(follow_symlinks=False)
        runnable = is_folder or entry.stat().st_mode & stat.S_IXUSR
        if not is_folder:
            os.chmod(entry.path, 0o555 if runnable else 0o444)
    for folder in _folders(root):
        folder.chmod(0o555)


def remove(root: Path) -> None:
    """Remove a folder, read-only ones included; one that is not there is fine."""
    for folder in (root, *_folders(root)):
        with contextlib.suppress(FileNotFoundError):
            folder.chmod(0o755)
    shutil.rmtree(root, ignore_errors=True)


def size(root: Path) -> int:
    """Return the bytes of all regular files below `root`."""
    return sum(length for length, _ in stamps(root).values())


def _folders(root: Path) -> list[Path]:
    if not root.is_dir() or root.is_symlink():
        return []
    found, pending = [], [root]
    while pending:
        folder = pending.pop()
        folder.chmod(0o755)
        with os.scandir(folder) as listing:
            below = [Path(entry.path) for entry in listing if entry.is_dir(follow_symlinks=False)]
        found += below
        pending += below
    return found
