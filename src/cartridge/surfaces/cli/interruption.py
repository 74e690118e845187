"""Ctrl-C: once lets the work end in order and says so, twice ends at once. SIGTERM counts as the first Ctrl-C.

Touches signal handlers only while a context is open, only in the main thread, and puts the old ones back.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

ORDERLY = "interrupted: ending in order; Ctrl-C again ends at once"


@contextlib.contextmanager
def handled(cancelled: threading.Event, announce: Callable[[str], None], *, orderly: bool = True) -> Iterator[None]:
    """Set `cancelled` on the first Ctrl-C or SIGTERM, raise KeyboardInterrupt on the next.

    Args:
        cancelled: what the operation looks at.
        announce: shows a line soon; it is called by a signal handler, so it must not write itself.
        orderly: without, the first one raises as well (after setting `cancelled`).
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupted(_: int, __: FrameType | None) -> None:
        if cancelled.is_set() or not orderly:
            cancelled.set()
            raise KeyboardInterrupt
        cancelled.set()
        announce(ORDERLY)

    before = {number: signal.signal(number, interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def left_to_child() -> Iterator[None]:
    """Leave Ctrl-C to the program that runs on this terminal; the child gets the default handler back."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
