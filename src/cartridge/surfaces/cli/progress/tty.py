"""A living list of steps on a terminal, gone when the run ends; what failed or warned stays.

Imports rich when the first step has lasted long enough to be worth looking at, so a run that is over at once neither
pays for it nor flickers. Never writes below the terminal's last line and never scrolls it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from cartridge.journal.events import ComponentChanged, Ending, Noted
from cartridge.surfaces.cli.progress.steps import Ended, Running, Steps
from cartridge.surfaces.cli.style import Ink, elapsed

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

    from cartridge.clock import Clock
    from cartridge.journal.recorder import Entry
    from cartridge.surfaces.cli.terminal import Terminal

PATIENCE = 0.3
"""Seconds a step must last before anything is drawn."""
ENDED_SHOWN, WORTH_SHOWING = 6, 0.05
"""How many ended steps stay in sight, and the seconds one must have taken for that."""
SPINNER, BAR = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", 24


class TtyView:
    """Draws what runs, with a spinner, the time and a bar where the total is known."""

    def __init__(self, terminal: Terminal, clock: Clock) -> None:
        self._terminal, self._clock = terminal, clock
        self._steps = Steps(clock)
        self._ended: deque[Ended] = deque(maxlen=ENDED_SHOWN)
        self._live: Live | None = None
        self._frame = 0

    def on(self, entry: Entry) -> None:
        """Take note of a step; write at once what must stay."""
        ended = self._steps.on(entry)
        if ended is not None and ended.ending is Ending.FAILED:
            self._stay(f"✗ {ended.title}{': ' if ended.note else ''}{ended.note}", Ink.RED)
        elif ended is not None and ended.seconds >= WORTH_SHOWING:
            self._ended.append(ended)
        match entry.event:
            case Noted(level="warning", text=text):
                self._stay(f"warning: {text}", Ink.YELLOW)
            case Noted(text=text):
                self._stay(text, Ink.DIM)
            case ComponentChanged(component=component, state="failed", note=note):
                self._stay(f"✗ {component} failed{': ' if note else ''}{note}", Ink.RED)
            case _:
                pass

    def tick(self) -> None:
        """Draw, once there is something that lasts."""
        if self._live is None and any(self._steps.age(step) >= PATIENCE for step in self._steps.running()):
            self._live = self._begin()
        if self._live is not None:
            self._frame += 1
            self._live.update(self._drawing(), refresh=True)

    def say(self, line: str) -> None:
        """Write a line above the list."""
        self._stay(line, Ink.YELLOW)

    def close(self) -> None:
        """Take the list off the terminal."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _begin(self) -> Live:
        from rich.console import Console
        from rich.live import Live

        console = Console(
            file=self._terminal.stderr, force_terminal=True, no_color=self._terminal.colourless, highlight=False
        )
        live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)
        live.start()
        return live

    def _stay(self, line: str, ink: Ink) -> None:
        if self._live is None:
            self._terminal.tell(self._terminal.error_style.paint(line, ink) + "\n")
        else:
            from rich.text import Text

            self._live.console.print(Text.from_ansi(self._terminal.error_style.paint(line, ink)))

    def _drawing(self) -> Text:
        # one text of padded lines costs a third of a table, ten times a second, beside the work itself
        from rich.text import Text

        running = self._steps.running()
        titles = [ended.title for ended in self._ended] + [step.title for step in running]
        width = max(map(len, titles), default=0)
        text = Text(no_wrap=True, overflow="ellipsis")
        for ended in self._ended:
            mark = ("✓", "green") if ended.ending is Ending.DONE else ("-", "dim")
            text.append(*mark)
            text.append(f" {ended.title:<{width}}  {elapsed(ended.seconds):>6}  {ended.note}\n", "dim")
        for step in running:
            text.append(SPINNER[self._frame % len(SPINNER)], "cyan")
            text.append(f" {step.title:<{width}}  {elapsed(self._steps.age(step)):>6}  {self._far(step)}\n")
        text.rstrip()
        return text

    def _far(self, step: Running) -> str:
        if not step.total:
            return step.how_far()
        full = min(BAR, BAR * step.done // step.total)
        return f"{'━' * full}{'╌' * (BAR - full)} {step.how_far()}"
