"""Asks a question until the answer is right, at 10 to 50 ms, never by a fixed sleep.

Where an answer takes long, the pause is as long as it took: whoever is busy is not kept busy by being asked.

The caller owns the clock and the cancellation. Never swallows an error it was not told to expect.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from cartridge.clock import Clock
from cartridge.errors import InterruptError, UnknownVerdictError

Answer = TypeVar("Answer")

FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.010, 0.050, 1.3
"""Seconds between two questions: fast at first, then no slower than 50 ms."""


class Patience(Struct, frozen=True):
    """How long to ask, and what may end it early.

    Attributes:
        clock: what time passes by.
        deadline: `clock.monotonic()` at which to give up.
        cancelled: set when nobody wants the answer any more.
    """

    clock: Clock
    deadline: float
    cancelled: threading.Event

    @classmethod
    def of(cls, clock: Clock, seconds: float, cancelled: threading.Event | None = None) -> Patience:
        """Return patience for `seconds` from now."""
        return cls(clock, clock.monotonic() + seconds, cancelled or threading.Event())

    def at_most(self, seconds: float) -> Patience:
        """Return patience for `seconds` from now, and never longer than this one lasts."""
        return replace(self, deadline=min(self.deadline, self.clock.monotonic() + seconds))

    def left(self) -> float:
        """Return the seconds left, never below 0."""
        return max(0.0, self.deadline - self.clock.monotonic())


def until(
    question: Callable[[], Answer | None], what: str, patience: Patience, *, expected: tuple[type[Exception], ...] = ()
) -> Answer:
    """Ask `question` until it answers something true, and return that.

    Args:
        question: returns a falsy value or raises one of `expected` for "not yet".
        what: completes "waiting for …" in the error.
        patience: how long.
        expected: exceptions that mean "not yet".

    Raises:
        UnknownVerdictError: `wait-timeout`, with the last answer's text.
        InterruptError: the patience was cancelled.
    """
    pause, last = FIRST_PAUSE, ""
    while True:
        if patience.cancelled.is_set():
            raise InterruptError
        began = patience.clock.monotonic()
        try:
            answer = question()
        except expected as error:
            answer, last = None, str(error)
        if answer:
            return answer
        if patience.left() <= 0:
            raise UnknownVerdictError(
                f"gave up waiting for {what}",
                code="wait-timeout",
                details=(last,) if last else (),
                resolution="give it longer with `--wait-timeout`, or read `cartridge logs`",
            )
        took = patience.clock.monotonic() - began
        patience.clock.wait(min(max(pause, took), patience.left()), patience.cancelled)
        pause = min(pause * GROWTH, LONGEST_PAUSE)
