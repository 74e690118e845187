"""Progress of a run on stderr, in the form that fits who reads it: `tty`, `plain`, `json` or `quiet`.

A view is told of each entry of the journal and, ten times a second, that time has passed; it never asks an operation
anything. Everything that takes over a second shows something, whether or not the operation says how far it is.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cartridge.clock import Clock
    from cartridge.journal.recorder import Entry
    from cartridge.surfaces.cli.terminal import Terminal

PERIOD = 0.1
"""Seconds between two ticks."""


class View(Protocol):
    """One form of progress. Its methods are never called by two threads at once."""

    def on(self, entry: Entry) -> None:
        """Take note of an event."""

    def tick(self) -> None:
        """Take note that time has passed."""

    def say(self, line: str) -> None:
        """Show a line that comes from no event."""

    def close(self) -> None:
        """Leave the terminal as a shell wants it."""


def _tty(terminal: Terminal, clock: Clock) -> View:
    from cartridge.surfaces.cli.progress.tty import TtyView

    return TtyView(terminal, clock)


def _plain(terminal: Terminal, clock: Clock) -> View:
    from cartridge.surfaces.cli.progress.plain import PlainView

    return PlainView(terminal, clock)


def _json(terminal: Terminal, clock: Clock) -> View:
    from cartridge.surfaces.cli.progress.json import JsonView

    return JsonView(terminal, clock)


def _quiet(terminal: Terminal, clock: Clock) -> View:
    from cartridge.surfaces.cli.progress.quiet import QuietView

    return QuietView(terminal, clock)


VIEWS: Mapping[str, Callable[[Terminal, Clock], View]] = {"tty": _tty, "plain": _plain, "json": _json, "quiet": _quiet}
"""How each form is made; only the one that is used is imported."""


class Show:
    """A journal listener that feeds one view, and its ticks; safe to call from several threads."""

    def __init__(self, view: View, clock: Clock) -> None:
        self._view, self._clock = view, clock
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._lines: deque[str] = deque()
        self._ticker = threading.Thread(target=self._tick, daemon=True, name="progress")

    def __call__(self, entry: Entry) -> None:
        """Pass an entry on."""
        with self._lock:
            self._view.on(entry)

    def announce(self, line: str) -> None:
        """Show a line at the next tick; may be called by a signal handler, so it takes no lock and writes nothing."""
        self._lines.append(line)

    def start(self) -> None:
        """Begin to tick."""
        self._ticker.start()

    def close(self) -> None:
        """End the ticks, show what was announced, and close the view."""
        self._ended.set()
        self._ticker.join()
        with self._lock:
            self._announced()
            self._view.close()

    def _tick(self) -> None:
        while not self._clock.wait(PERIOD, self._ended):
            with self._lock:
                self._announced()
                self._view.tick()

    def _announced(self) -> None:
        while self._lines:
            self._view.say(self._lines.popleft())


@contextlib.contextmanager
def shown(
    wanted: str | None, terminal: Terminal, clock: Clock, views: Mapping[str, Callable[[Terminal, Clock], View]] = VIEWS
) -> Iterator[Show]:
    """Show progress while the body runs.

    Args:
        wanted: `--progress`; None and `auto` choose `tty` on a terminal and `plain` elsewhere.
        terminal: where to.
        clock: what time passes by.
        views: the forms there are.
    """
    fitting = "tty" if terminal.progress_is_watched else "plain"
    form = fitting if wanted in {None, "auto"} else str(wanted)
    show = Show(views[form](terminal, clock), clock)
    show.start()
    try:
        yield show
    finally:
        show.close()
