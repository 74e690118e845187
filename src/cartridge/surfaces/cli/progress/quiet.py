"""No progress at all; errors and what a person must know of Ctrl-C still come."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cartridge.clock import Clock
    from cartridge.journal.recorder import Entry
    from cartridge.surfaces.cli.terminal import Terminal


class QuietView:
    """Shows only what is announced."""

    def __init__(self, terminal: Terminal, _: Clock) -> None:
        self._terminal = terminal

    def on(self, entry: Entry) -> None:
        """Do nothing."""

    def tick(self) -> None:
        """Do nothing."""

    def say(self, line: str) -> None:
        """Write the line."""
        self._terminal.tell(f"{line}\n")

    def close(self) -> None:
        """Do nothing."""
