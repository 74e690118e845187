"""The critical chain of a start: which steps took how long, from the journal's own entries."""

from __future__ import annotations

from cartridge.journal.events import StepEnded, StepStarted
from cartridge.journal.recorder import Entry
from cartridge.operations.results.stacks import Stage

NOTEWORTHY = 0.05
"""Seconds; shorter steps are not part of the chain anyone would look at."""


class Stages:
    """A journal listener that keeps the span of each step and finds the chain that decided the end."""

    def __init__(self) -> None:
        self._begun: dict[str, float] = {}
        self._spans: list[tuple[str, float, float]] = []

    def __call__(self, entry: Entry) -> None:
        """Take note of a step's start or end."""
        match entry.event:
            case StepStarted(step=step):
                self._begun[step] = entry.offset
            case StepEnded(step=step) if step in self._begun:
                self._spans.append((step, self._begun.pop(step), entry.offset))
            case _:
                pass

    def chain(self) -> tuple[Stage, ...]:
        """Return the chain: back from the last step to end, each link the latest to end before the next one began."""
        links: list[tuple[str, float, float]] = []
        until = float("inf")
        for step, begun, ended in sorted(self._spans, key=lambda span: -span[2]):
            if ended <= until + 1e-3 and ended - begun >= NOTEWORTHY:
                links.append((step, begun, ended))
                until = begun
        return tuple(Stage(step, round(ended - begun, 3)) for step, begun, ended in reversed(links))
