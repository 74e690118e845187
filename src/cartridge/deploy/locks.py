"""One run at a time on one stack: a file lock that the kernel drops when its holder dies.

The file names the holder, for the message; the lock itself is the kernel's, so a kill -9 leaves nothing to mend.
Never held across a fork and exec: descriptors are closed on exec.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct, json

from cartridge.clock import Clock
from cartridge.errors import InterruptError, UnknownVerdictError

PAUSE = 0.05
"""Seconds between two tries."""


class Holder(Struct, frozen=True, forbid_unknown_fields=True):
    """Who has the lock: process id, verb, and since when (ISO 8601 in UTC)."""

    pid: int
    verb: str
    since: str


class Queue(Struct, frozen=True):
    """How to wait for a lock.

    Attributes:
        clock: what time passes by.
        seconds: how long; 0 does not wait.
        cancelled: set when nobody wants it any more.
        waiting: told once, of who has it.
    """

    clock: Clock
    seconds: float = 0.0
    cancelled: threading.Event | None = None
    waiting: Callable[[Holder | None], None] | None = None


@contextlib.contextmanager
def hold(path: Path, verb: str, queue: Queue) -> Iterator[None]:
    """Hold the lock at `path` while the body runs; its file is gone afterwards.

    Args:
        path: the lock's file; its folder is made (0700). Not inside what the body may delete.
        verb: what the holder does, for others' messages.
        queue: how to wait.

    Raises:
        UnknownVerdictError: `stack-locked`, somebody else has it and the time is up.
        InterruptError: cancelled while waiting.
    """
    descriptor = _acquire(path, queue)
    try:
        said = Holder(os.getpid(), verb, queue.clock.now().isoformat(timespec="seconds"))
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, json.encode(said), 0)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def holder(path: Path) -> Holder | None:
    """Return who says to have the lock at `path`; None where there is none, or it does not say."""
    try:
        return json.decode(path.read_bytes(), type=Holder)
    except (OSError, ValueError):
        return None


def sweep(folder: Path) -> tuple[Path, ...]:
    """Remove the lock files in `folder` that nobody holds any more, and return them; their holders were killed."""
    swept = []
    for path in sorted(folder.glob(".*.lock")):
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDWR)
            if _try(descriptor) and _is_at(descriptor, path):
                path.unlink()
                swept.append(path)
            os.close(descriptor)
    return tuple(swept)


def _acquire(path: Path, queue: Queue) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    deadline, told = queue.clock.monotonic() + queue.seconds, False
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if _try(descriptor) and _is_at(descriptor, path):
            return descriptor
        os.close(descriptor)
        if queue.cancelled is not None and queue.cancelled.is_set():
            raise InterruptError
        if queue.clock.monotonic() >= deadline:
            raise _locked(holder(path))
        if not told and queue.waiting is not None:
            queue.waiting(holder(path))
            told = True
        queue.clock.wait(PAUSE, queue.cancelled)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Tell whether the locked file is still the one at `path`: its last holder deletes it."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    ours = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _locked(by: Holder | None) -> UnknownVerdictError:
    who = f"`cartridge {by.verb}` (process {by.pid}, since {by.since})" if by else "another process"
    return UnknownVerdictError(
        f"{who} is at work on this stack",
        code="stack-locked",
        resolution="wait until it is done, or end it; nothing has to be cleaned up after a kill",
    )
