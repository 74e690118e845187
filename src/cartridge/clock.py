"""The one door to time: a clock that tests can own.

Nothing else in the package asks the system for the time or sleeps. `SystemClock` is the real one;
`tests/doubles/clock.py` holds one whose time passes only when somebody waits.
"""

from __future__ import annotations

import datetime
import threading
import time
from typing import Protocol


class Clock(Protocol):
    """What time it is, and waiting."""

    def now(self) -> datetime.datetime:
        """Return the wall-clock time, in UTC with a zone."""

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that never go back."""

    def wait(self, seconds: float, until: threading.Event | None = None) -> bool:
        """Wait `seconds`, or less if `until` is set; return whether it was set."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime.datetime:
        """Return the wall-clock time, in UTC with a zone."""
        return datetime.datetime.now(datetime.UTC)

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that never go back."""
        return time.monotonic()

    def wait(self, seconds: float, until: threading.Event | None = None) -> bool:
        """Wait `seconds`, or less if `until` is set; return whether it was set."""
        return (until or threading.Event()).wait(seconds)
