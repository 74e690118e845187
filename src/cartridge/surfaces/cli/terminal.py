"""The three streams, and whether people look at them. stdout carries the answer, stderr everything else.

Knows what must be known before flags are parsed (a wrong flag is reported in the form that was asked for), so it
looks at the raw arguments for `--output` and `--no-color` alone.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from msgspec import Struct

from cartridge.surfaces.cli.style import Style

if TYPE_CHECKING:
    from cartridge.workspace.settings import Settings


class Terminal(Struct, frozen=True):
    """Where answers and progress go, and in what form.

    Attributes:
        stdin: where people answer.
        stdout: answers.
        stderr: progress, warnings, errors.
        json: whether answers are JSON.
        colourless: whether colour is unwanted everywhere.
        unattended: whether a machine runs us, even on a terminal (`CI`).
    """

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    json: bool = False
    colourless: bool = False
    unattended: bool = False

    @classmethod
    def of(cls, arguments: Sequence[str], settings: Settings | None = None) -> Terminal:
        """Return this process's terminal; without settings, as if the environment were empty."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        own = arguments[: arguments.index("--")] if "--" in arguments else arguments
        return cls(
            sys.stdin,
            sys.stdout,
            sys.stderr,
            json=_output(own, settings.output if settings else "text") == "json",
            colourless=(settings is not None and settings.no_color) or "--no-color" in own,
            unattended=settings is not None and settings.ci,
        )

    @property
    def answers_are_watched(self) -> bool:
        """Whether a person reads stdout as it comes."""
        return self.stdout.isatty() and not self.unattended

    @property
    def progress_is_watched(self) -> bool:
        """Whether a person reads stderr as it comes, on something that can move its cursor."""
        return self.stderr.isatty() and not self.unattended

    @property
    def can_ask(self) -> bool:
        """Whether there is a person to ask."""
        return self.stdin.isatty() and self.stderr.isatty() and not self.unattended

    @property
    def style(self) -> Style:
        """How answers are painted."""
        return Style(self.answers_are_watched and not self.colourless)

    @property
    def error_style(self) -> Style:
        """How errors and progress are painted."""
        return Style(self.progress_is_watched and not self.colourless)

    def answer(self, text: str) -> None:
        """Write to stdout."""
        self.stdout.write(text)
        self.stdout.flush()

    def tell(self, text: str) -> None:
        """Write to stderr."""
        self.stderr.write(text)
        self.stderr.flush()


def _output(arguments: Sequence[str], wanted: str) -> str:
    for index, argument in enumerate(arguments):
        if argument in {"-o", "--output"}:
            wanted = arguments[index + 1] if index + 1 < len(arguments) else wanted
        elif argument.startswith("--output="):
            wanted = argument.removeprefix("--output=")
        elif argument.startswith("-o"):
            wanted = argument.removeprefix("-o").removeprefix("=")
    return wanted
