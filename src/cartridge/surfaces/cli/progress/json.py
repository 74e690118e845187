"""The journal's entries as JSON lines, for programs (docs/reference/journal.md). Adds nothing to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartridge.journal.events import Noted
from cartridge.journal.recorder import Entry, encode

if TYPE_CHECKING:
    from cartridge.clock import Clock
    from cartridge.surfaces.cli.terminal import Terminal


class JsonView:
    """Writes each entry as it comes."""

    def __init__(self, terminal: Terminal, clock: Clock) -> None:
        self._terminal, self._clock, self._began = terminal, clock, clock.monotonic()

    def on(self, entry: Entry) -> None:
        """Write the entry."""
        self._terminal.tell(encode(entry).decode())

    def tick(self) -> None:
        """Do nothing: programs need no sign of life."""

    def say(self, line: str) -> None:
        """Write a line of our own as a note."""
        at = self._clock.now().isoformat(timespec="milliseconds")
        self.on(Entry(at, round(self._clock.monotonic() - self._began, 4), Noted("info", line)))

    def close(self) -> None:
        """Do nothing: every line is whole."""
