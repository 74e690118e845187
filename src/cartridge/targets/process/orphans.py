"""Finds what dead guardians left, from /proc and the runtime folder alone, and removes exactly that.

A stack is alive while a process with its guardian's mark is: then nothing of it is touched, wherever its files are.
Never looks at another user's processes or folders.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from cartridge.artifacts.held import is_held
from cartridge.clock import Clock, SystemClock
from cartridge.targets.process import marks, wire
from cartridge.targets.process.runtime import stack_folder

YOUNG = 10.0
"""Seconds for which a guardian without a socket is taken to be on its way."""

ENDING = 2.0
"""Seconds for which a guardian that was told to end may still be there."""


class Leftover(Struct, frozen=True):
    """Something a dead guardian left.

    Attributes:
        kind: `process` or `folder`.
        identity: pid, or path of a folder of sockets.
        stack: whose it was.
        reason: why nobody needs it.
        started: of a process: clock ticks since boot.
    """

    kind: str
    identity: str
    stack: str
    reason: str
    started: int = 0


def find(runtime: Path) -> tuple[Leftover, ...]:
    """Return everything that dead guardians left; changes nothing."""
    guardians = marks.guardians()
    lost = [one for one in guardians if _is_lost(one)]
    alive = {one.stack for one in guardians} - {one.stack for one in lost}
    found = [_process(one, "its guardian cannot be reached any more") for one in lost]
    found += [_process(one, "its guardian is dead") for one in marks.components() if one.stack not in alive]
    found += [
        Leftover("folder", str(path), path.name, "no guardian listens there")
        for path in _folders(runtime)
        if not any(stack_folder(runtime, stack) == path for stack in alive)
        and not is_held(path / wire.LOCK, unreadable=False)
    ]
    return tuple(found)


def remove(leftover: Leftover) -> bool:
    """Remove it, if it still is what it was; return whether it was there."""
    if leftover.kind == "process":
        return marks.kill(marks.Marked(int(leftover.identity), leftover.started, leftover.stack, ""))
    return _clear(leftover.identity)


def sweep(runtime: Path, stack: str, clock: Clock | None = None) -> list[marks.Marked]:
    """Kill all that is left of a stack, its guardian too, and remove its runtime folder; return what was killed.

    Waits a little for a guardian or watcher that is just ending; for when nobody else can end the stack.
    """
    clock = clock or SystemClock()
    deadline = clock.monotonic() + ENDING
    while (guardians := marks.guardians(stack)) and clock.monotonic() < deadline:
        clock.wait(0.01)
    killed = [one for one in guardians if marks.kill(one)]
    killed += marks.sweep(stack)
    _clear(str(runtime))
    return killed


def _process(found: marks.Marked, reason: str) -> Leftover:
    return Leftover("process", str(found.pid), found.stack, reason, found.started)


def _is_lost(guardian: marks.Marked) -> bool:
    """Tell whether nobody can speak to this guardian: its socket was deleted from under it."""
    try:
        arguments = Path(f"/proc/{guardian.pid}/cmdline").read_bytes().split(b"\0")
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError):
        return False
    age = uptime - guardian.started / os.sysconf("SC_CLK_TCK")
    named = [Path(os.fsdecode(argument)) for argument in arguments if argument.startswith(b"/")]
    return age > YOUNG and not any((folder / wire.SOCKET).exists() for folder in named)


def _folders(runtime: Path) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(runtime), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_uid == os.getuid():
            names = {child.name for child in os.scandir(entry.path)}
            if names <= {wire.SOCKET, wire.LOCK}:
                yield Path(entry.path)


def _clear(folder: str) -> bool:
    """Remove a runtime folder whose lock nobody holds."""
    from cartridge.targets.process.launch import take_lock
    from cartridge.targets.process.watcher import leave

    if not os.path.isdir(folder):
        return False
    lock = take_lock(folder)
    if lock is None:
        return False
    try:
        leave(folder)
    finally:
        os.close(lock)
    return True
