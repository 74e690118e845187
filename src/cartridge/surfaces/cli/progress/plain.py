"""Plain lines, for CI and pipes: one as a step ends, and a sign of life for each that lasts.

A step that lasts is shown after one second, then every ten. Never moves a cursor, never colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartridge.journal.events import ComponentChanged, Ending, Noted
from cartridge.surfaces.cli.progress.steps import Steps
from cartridge.surfaces.cli.style import elapsed

if TYPE_CHECKING:
    from cartridge.clock import Clock
    from cartridge.journal.recorder import Entry
    from cartridge.surfaces.cli.terminal import Terminal

FIRST, NEXT = 1.0, 10.0
"""Seconds until a running step is shown, and between two lines of it."""


class PlainView:
    """Writes lines such as `   1.2 s  done     alice: starting (0.9 s)`; the first column is the run's time."""

    def __init__(self, terminal: Terminal, clock: Clock) -> None:
        self._terminal, self._clock, self._began = terminal, clock, clock.monotonic()
        self._steps = Steps(clock)
        self._due: dict[str, float] = {}

    def on(self, entry: Entry) -> None:
        """Write the end of a step, a note, a failed component."""
        ended = self._steps.on(entry)
        if ended is not None:
            took = f" ({elapsed(ended.seconds)})" if ended.seconds >= 0.05 else ""
            note = f": {ended.note}" if ended.note else ""
            self._line(entry.offset, ended.ending.value, f"{ended.title}{note}{took}")
        match entry.event:
            case Noted(level=level, text=text):
                self._line(entry.offset, "warning" if level == "warning" else "note", text)
            case ComponentChanged(component=component, state="failed", note=note):
                self._line(entry.offset, Ending.FAILED.value, f"{component}{': ' if note else ''}{note}")
            case _:
                pass

    def tick(self) -> None:
        """Write a sign of life for each step that has lasted long enough."""
        running = self._steps.running()
        self._due = {step.step: self._due.get(step.step, FIRST) for step in running}
        for step in running:
            age = self._steps.age(step)
            if age >= self._due[step.step]:
                self._due[step.step] = NEXT * (age // NEXT + 1)
                far = step.how_far()
                self._line(step.offset + age, "working", f"{step.title}{': ' if far else ''}{far}")

    def say(self, line: str) -> None:
        """Write a line of our own."""
        self._line(self._clock.monotonic() - self._began, "note", line)

    def close(self) -> None:
        """Do nothing: every line is whole."""

    def _line(self, offset: float, word: str, text: str) -> None:
        self._terminal.tell(f"{elapsed(offset):>8}  {word:<7}  {text}\n")
