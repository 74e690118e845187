"""One run of the command line: what every command is given, and how it opens a context and answers.

Made once by `app.run`. Commands print through `Session.terminal` and reach operations through `Session.verbs` alone.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct, field

from cartridge.errors import ExitStatus

if TYPE_CHECKING:
    from cartridge.clock import Clock
    from cartridge.journal.recorder import Entry, Recorder
    from cartridge.operations.access.context import Context
    from cartridge.surfaces.cli.flags import Flags
    from cartridge.surfaces.cli.style import Style
    from cartridge.surfaces.cli.terminal import Terminal
    from cartridge.surfaces.cli.verbs import Verbs
    from cartridge.workspace.settings import Settings

RECENT = 40
"""Entries of the journal that a crash file quotes."""


class Session(Struct, frozen=True):
    """What a command works with.

    Attributes:
        verbs: the operations.
        terminal: the streams.
        settings: the environment, read once.
        clock: the time.
        recent: the last journal entries of this run.
    """

    verbs: Verbs
    terminal: Terminal
    settings: Settings
    clock: Clock
    recent: deque[Entry] = field(default_factory=lambda: deque(maxlen=RECENT))

    @contextlib.contextmanager
    def context(self, verb: str, flags: Flags, *, orderly: bool = True) -> Iterator[Context]:
        """Open the context of a verb, with its progress on stderr, and close both at the end.

        Args:
            verb: names the journal.
            flags: the common flags as given.
            orderly: let the first Ctrl-C ask the operation to end in order; without, it ends at once.
        """
        from cartridge.surfaces.cli import interruption, progress

        with progress.shown(flags.progress or self.settings.progress, self.terminal, self.clock) as show:
            for warning in self.settings.warnings:
                self.terminal.tell(f"warning: {warning.brief}; {warning.resolution}\n")
            context = self.verbs.open(flags.options(self.settings), verb, (self.recent.append, show))
            orderly_end = interruption.handled(context.cancelled, show.announce, orderly=orderly)
            with contextlib.closing(context), orderly_end, _recorded(context.recorder):
                yield context

    def answer(self, name: str, result: Struct, text: Callable[[Style], str]) -> None:
        """Write a result to stdout, as JSON where that was asked for.

        Args:
            name: of its schema, mostly the verb.
            result: listed in `answers.TYPES`.
            text: makes the text for people; called only when it is wanted.
        """
        if self.terminal.json:
            from cartridge.surfaces.cli.answers import as_json

            self.terminal.answer(as_json(name, result))
        else:
            self.terminal.answer(text(self.terminal.style))


@contextlib.contextmanager
def _recorded(recorder: Recorder) -> Iterator[None]:
    from cartridge.journal.events import Ending, RunEnded
    from cartridge.surfaces.cli.translation import translated

    try:
        yield
    except BaseException as error:
        known = translated(error)
        status, code = (known.exit_status, known.code) if known else (ExitStatus.BUG, "bug")
        recorder.record(RunEnded(Ending.FAILED, int(status), code, known.brief if known else type(error).__name__))
        raise
    recorder.record(RunEnded(Ending.DONE, int(ExitStatus.FINE)))
