"""The guardian's watcher: a fork that sleeps until the guardian is gone, and cleans up if it was killed.

Children die with the guardian by the kernel's hand; their descendants do not, and nobody else would know of them.
While it works it holds the guardian's lock, so that no new guardian starts in between. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import signal

from cartridge.targets.process import marks, wire


class Watcher:
    """The fork as its guardian sees it.

    Args:
        lock: descriptor of the guardian's lock.
        stack: whose processes are ended.
        runtime: the folder to remove.
    """

    def __init__(self, lock: int, stack: str, runtime: str) -> None:
        self._lock, self._stack, self._runtime = lock, stack, runtime
        self.pid, self._tie = 0, -1

    def start(self) -> None:
        """Fork it; again, where it was killed."""
        if self._tie >= 0:
            os.close(self._tie)
        reading, self._tie = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(reading)
            return
        try:
            self._watch(reading)
        finally:
            os._exit(0)

    def dismiss(self) -> None:
        """Tell it that there is nothing to do, and wait until it is gone."""
        with contextlib.suppress(OSError):  # it was killed a moment ago
            os.write(self._tie, b".")
            os.waitpid(self.pid, 0)

    def _watch(self, reading: int) -> None:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        first, second = sorted((reading, self._lock))
        os.closerange(3, first)
        os.closerange(first + 1, second)
        os.closerange(second + 1, 1 << 20)
        if not os.read(reading, 1):
            marks.sweep(self._stack)
            leave(self._runtime)


def leave(runtime: str) -> None:
    """Remove a runtime folder; the lock last, so that a newcomer waits until all else is gone."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(runtime, wire.SOCKET))
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(runtime, wire.LOCK))
    with contextlib.suppress(OSError):
        os.rmdir(runtime)
