"""Which steps run, since when, and how far they are: what every view of progress is drawn from. Draws nothing."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from cartridge.clock import Clock
from cartridge.journal.events import Ending, StepEnded, StepProgress, StepStarted
from cartridge.journal.recorder import Entry


class Running(Struct, frozen=True):
    """A step under way.

    Attributes:
        step: its stable name.
        title: for people.
        since: on the clock's monotonic scale (seconds).
        offset: when it began, in seconds since the run did.
        done: of `total` (0 = unknown) `unit`s.
        total: see `done`.
        unit: such as `bytes`; empty for bare numbers.
        note: the last one.
    """

    step: str
    title: str
    since: float
    offset: float
    done: int = 0
    total: int = 0
    unit: str = ""
    note: str = ""

    def how_far(self) -> str:
        """Return how far it is as text, such as `12 of 40 packages`, `3.1 MiB` or its note; often empty."""
        if not self.done and not self.total:
            return self.note
        if self.unit == "bytes":
            parts = [_bytes(self.done), *([f"of {_bytes(self.total)}"] if self.total else [])]
        else:
            parts = [f"{self.done:,}", *([f"of {self.total:,}"] if self.total else []), self.unit]
        return " ".join(part for part in (*parts, self.note) if part)


class Ended(Struct, frozen=True):
    """A step that ended, and how long it took (seconds)."""

    title: str
    ending: Ending
    note: str
    seconds: float


class Steps:
    """Every step under way, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: dict[str, Running] = {}

    def on(self, entry: Entry) -> Ended | None:
        """Take note of an event; return what ended, if it ended a step."""
        match entry.event:
            case StepStarted(step=step, title=title):
                self._running[step] = Running(step, title, self._clock.monotonic(), entry.offset)
            case StepProgress(step=step, done=done, total=total, unit=unit, note=note) if step in self._running:
                running = self._running[step]
                self._running[step] = replace(running, done=done, total=total, unit=unit, note=note)
            case StepEnded(step=step, ending=ending, note=note) if step in self._running:
                running = self._running.pop(step)
                return Ended(running.title, ending, note, entry.offset - running.offset)
            case _:
                pass
        return None

    def running(self) -> tuple[Running, ...]:
        """Return the steps under way."""
        return tuple(self._running.values())

    def age(self, running: Running) -> float:
        """Return the seconds a step has run."""
        return self._clock.monotonic() - running.since


def _bytes(number: int) -> str:
    if number < 1024:
        return f"{number} B"
    scaled = float(number)
    for unit in ("KiB", "MiB", "GiB"):
        scaled /= 1024
        if scaled < 1024:
            return f"{scaled:.1f} {unit}"
    return f"{scaled / 1024:.1f} TiB"
