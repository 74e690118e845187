"""Interleaved measurements: contenders take turns, so that a busy machine is unfair to all of them alike.

Wall time unless a case says otherwise; medians with the full range; ratios are taken between medians of the same
rounds. Never discards a sample.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Act = Callable[[], float]
"""Does one measured act and returns its figure (seconds, MB …)."""


@dataclass(frozen=True)
class Samples:
    """The figures of one contender over all rounds."""

    name: str
    figures: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle figure."""
        return statistics.median(self.figures)

    def __str__(self) -> str:
        return f"{self.median:.3f} ({min(self.figures):.3f}–{max(self.figures):.3f})"


@dataclass(frozen=True)
class Claim:
    """A number the project promises: `ours` against `peer` must be at most `limit` (a ratio), or `ours` alone a figure."""

    what: str
    ours: Samples
    limit: float
    peer: Samples | None = None
    unit: str = "s"

    @property
    def value(self) -> float:
        """The ratio, or the bare figure where there is no peer."""
        return self.ours.median / self.peer.median if self.peer else self.ours.median

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        return self.value <= self.limit


@dataclass
class Report:
    """What one case found: claims for the table, notes for below it."""

    title: str
    claims: list[Claim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def interleave(contenders: Mapping[str, Act], rounds: int) -> dict[str, Samples]:
    """Run every contender once a round, in turn, and return their figures by name."""
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, act in contenders.items():
            figures[name].append(act())
    return {name: Samples(name, tuple(each)) for name, each in figures.items()}


def wall(argv: Sequence[str], **options: object) -> float:
    """Return the seconds a program takes; raise where it fails, with what it said."""
    began = time.monotonic()
    done = subprocess.run(list(argv), capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    took = time.monotonic() - began
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return took
