"""What the channels that build share: a compiler's output as it comes, and what of it is worth telling."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

from cartridge import spawn


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
