"""A clock whose time passes only when somebody waits: hours of schedule in milliseconds.

`FakeClock().wait(3600)` returns at once and moves the time by an hour.
"""

from __future__ import annotations

import datetime
import threading


class FakeClock:
    """Starts at a fixed moment; `advance` moves it from outside."""

    def __init__(self, start: str = "2030-01-01T00:00:00+00:00") -> None:
        self._start, self._passed, self._lock = datetime.datetime.fromisoformat(start), 0.0, threading.Lock()

    def now(self) -> datetime.datetime:
        """Return the start plus what has passed."""
        return self._start + datetime.timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self._passed

    def wait(self, seconds: float, until: threading.Event | None = None) -> bool:
        """Let `seconds` pass at once, unless `until` is set already."""
        if until is not None and until.is_set():
            return True
        self.advance(seconds)
        return False

    def advance(self, seconds: float) -> None:
        """Move the time on."""
        with self._lock:
            self._passed += seconds
