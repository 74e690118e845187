"""Components of a stack that fail, told from the guardian's stream of changes. Judges nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from cartridge.errors import MissingError
from cartridge.targets.driver import ComponentState
from cartridge.targets.process.client import Changes, Look


class ProcessDeaths:
    """See `targets.driver.Deaths`.

    Args:
        changes: of the guardian; ended with the watch.
    """

    def __init__(self, changes: Changes) -> None:
        self._changes, self._closed = changes, threading.Event()

    def __iter__(self) -> Iterator[str]:
        """Yield the name of each component that has failed, those that had already first."""
        while not self._closed.is_set():
            for look in self._next():
                if look.state == ComponentState.FAILED:
                    yield look.name

    def close(self) -> None:
        """End the watch; an iteration under way in another thread ends."""
        self._closed.set()
        self._changes.close()

    def _next(self) -> tuple[Look, ...]:
        try:
            return self._changes.next(None)
        except (MissingError, OSError, ValueError):  # the last two: it was closed under us
            if self._closed.is_set():
                return ()
            raise
