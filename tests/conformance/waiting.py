"""Waits for a condition with a bound; a test that waits says for what."""

from __future__ import annotations

from collections.abc import Callable

from cartridge.clock import Clock, SystemClock

BOUND = 20.0
"""Seconds after which a condition counts as never met."""


def until(condition: Callable[[], object], what: str, clock: Clock | None = None) -> None:
    """Return when `condition()` is true; fail after `BOUND` seconds."""
    clock = clock or SystemClock()
    deadline = clock.monotonic() + BOUND
    while not condition():
        assert clock.monotonic() < deadline, f"never came true: {what}"
        clock.wait(0.01)
