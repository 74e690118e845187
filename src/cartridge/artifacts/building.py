"""What the channels that build share: a compiler's output as it comes, and what of it is worth telling."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Generator
from pathlib import Path

from msgspec import Struct, field

from cartridge import spawn
from cartridge.artifacts.sources import Meter, Sources


class Progress(Struct):
    """How many parts have been compiled; those that are compiled already, by an earlier try or build, are never named.

    Attributes:
        meter: shows it.
        total: parts there are.
        named: matches a line that names a part, which is its first group.
    """

    meter: Meter
    total: int
    named: re.Pattern[str]
    seen: set[str] = field(default_factory=set)

    def add(self, part: str) -> None:
        """Count a part."""
        self.seen.add(part)
        self.meter.show(min(len(self.seen), self.total - 1), self.total, part)


def run(build: list[str], folder: Path, sources: Sources, progress: Progress) -> str:
    """Run a build to its end and return what it said beside the names of parts.

    Raises:
        InterruptError: Ctrl-C; the build has ended.
    """
    said = []
    with contextlib.closing(lines(build, folder)) as printed:
        for line in printed:
            sources.go_on()
            if found := progress.named.match(line):
                progress.add(found[1])
            else:
                said.append(line)
    sources.go_on()
    return "\n".join(said)


def lines(argv: list[str], folder: Path) -> Generator[str, None, None]:
    """Yield what a program prints, line by line; it is ended where nobody reads on.

    It writes into a pipe that dies with us, so a build does not outlive a killed run by more than a package.
    """
    reader, writer = os.pipe()
    try:
        process = spawn.start(argv, cwd=folder, output=writer)
    finally:
        os.close(writer)
    with os.fdopen(reader, encoding="utf-8", errors="replace") as said:
        try:
            yield from (line.rstrip() for line in said)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait()


def complaint(text: str) -> str:
    """Return the line of an output that says why it failed."""
    every = [line.strip() for line in text.strip().splitlines() if line.strip()]
    full = [line for line in every if "no space left" in line.lower()]
    return (full or every or ["it said nothing"])[-1]
