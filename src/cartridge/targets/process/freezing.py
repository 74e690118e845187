"""Components that stand still for a moment, so that their data can be copied: all of them at once, and never for long.

Whoever freezes may be killed: what is frozen goes on by itself when its time is up. Never waits: the kernel tells when
a process has stopped, and only then is the freezer answered. Standard library only; for the guardian.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence

LONGEST = 30.0
"""Seconds a component may stand still at most, whatever is asked for."""
AGAIN = 0.005
"""Seconds until children are looked for again of those that have not stopped."""


class Freezer:
    """What of one stack stands still.

    Attributes:
        thaw_at: when (as `time.monotonic()` counts) everything goes on by itself; None where nothing stands still.
    """

    def __init__(self) -> None:
        self.thaw_at: float | None = None
        self._frozen: dict[str, int] = {}
        self._waiting: set[int] = set()
        self._done: list[Callable[[], None]] = []

    def freeze(self, pids: Mapping[str, int], until: float, done: Callable[[], None]) -> None:
        """Stop these processes (component to pid); `done` is called once all have stopped. Repeated, it adds to them.

        Args:
            pids: each the leader of a process group.
            until: `time.monotonic()` at which everything goes on by itself.
            done: called once, in this call or a later one of `look`.
        """
        self.thaw_at = until
        for name, pid in pids.items():
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                if self._frozen.get(name) == pid:
                    continue
                os.killpg(pid, signal.SIGSTOP)
                self._frozen[name] = pid
                self._waiting.add(pid)
        self._done.append(done)
        self.look()
        self.let_children_begin()

    @property
    def is_waiting(self) -> bool:
        """Whether there is somebody who was told to stop and has not."""
        return bool(self._waiting)

    def look(self) -> None:
        """Take note of those that have stopped; to be called whenever a child changes."""
        for pid in tuple(self._waiting):
            try:
                stopped = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG)
            except ChildProcessError:
                stopped = None
                self._waiting.discard(pid)
            if stopped is not None:
                self._waiting.discard(pid)
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGSTOP)  # those that were let begin
        if not self._waiting:
            told, self._done = self._done, []
            for done in told:
                done()

    def let_children_begin(self) -> None:
        """Let the children of those that have not stopped yet go on; to be called every `AGAIN` seconds meanwhile.

        Whoever makes a child by vfork(2) cannot stop before that child has become another program, which it never
        would while it stands still itself. A child that is being made just now is not there to be seen yet, and
        is born with the signal.
        """
        for pid in self._waiting:
            for child in _children(pid):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(child, signal.SIGCONT)

    def thaw(self) -> Sequence[str]:
        """Let everything go on; return the components that stood still until now."""
        stood = [name for name, pid in self._frozen.items() if pid not in self._waiting]
        for pid in self._frozen.values():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGCONT)
        self._frozen, self.thaw_at = {}, None
        self._waiting = set()
        self.look()
        return stood

    def forget(self, pid: int) -> None:
        """Take note that a process has ended."""
        self._frozen = {name: one for name, one in self._frozen.items() if one != pid}
        self._waiting.discard(pid)
        self.look()


def _children(pid: int) -> list[int]:
    """Return the children of a process, by whichever of its threads; none where the system does not tell."""
    found: list[int] = []
    with contextlib.suppress(OSError):  # it has ended
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found += map(int, file.read().split())
    return found
