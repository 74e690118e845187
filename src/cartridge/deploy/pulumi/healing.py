"""Mends what a killed process left in Pulumi's state: locks whose holder is dead, operations that never ended.

A lock is stale when no process of this machine has its number, or one that began after the lock was made. Only stale
locks go; a living holder is waited for, and a CLI whose own parent died is asked to end.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from cartridge.clock import Clock
from cartridge.deploy.pulumi.backend import Backend, Lock
from cartridge.errors import UnknownVerdictError

PATIENCE = 20.0
"""Seconds to wait for a living holder: a CLI that lost us ends within a few."""
PAUSE = 0.05
SLACK = 2.0
"""Seconds by which a process may seem to begin after its own lock: clocks are coarse."""


def free_locks(backend: Backend, clock: Clock) -> int:
    """Return how many stale locks were removed; wait for those that are held.

    Raises:
        UnknownVerdictError: `stack-locked`, another process or machine is at work on the stack's state.
    """
    removed, deadline = 0, clock.monotonic() + PATIENCE
    while True:
        held = [lock for lock in backend.locks() if not is_stale(lock)]
        for lock in _stale(backend):
            lock.path.unlink(missing_ok=True)
            removed += 1
        if not held:
            return removed
        if clock.monotonic() >= deadline or any(lock.host != socket.gethostname() for lock in held):
            raise _locked(held[0])
        for lock in held:
            _end_orphan(lock)
        clock.wait(PAUSE)


def is_stale(lock: Lock) -> bool:
    """Tell whether the lock's holder is certainly dead; one on another machine never is."""
    import psutil

    if lock.pid == 0:
        return True
    if lock.host != socket.gethostname():
        return False
    try:
        return bool(psutil.Process(lock.pid).create_time() > lock.since + SLACK)
    except psutil.NoSuchProcess:
        return True


def _stale(backend: Backend) -> Iterator[Lock]:
    return (lock for lock in backend.locks() if is_stale(lock))


def _end_orphan(lock: Lock) -> None:
    """Ask a CLI that nobody waits for any more to end."""
    import psutil

    with contextlib.suppress(psutil.Error):
        process = psutil.Process(lock.pid)
        if process.ppid() == 1 and process.name() == "pulumi":
            process.terminate()


def _locked(lock: Lock) -> UnknownVerdictError:
    return UnknownVerdictError(
        f"Pulumi's state of this stack is locked by process {lock.pid} on `{lock.host}`",
        code="stack-locked",
        resolution=f"wait until it is done; if that machine is gone for good, delete `{lock.path}`",
    )
