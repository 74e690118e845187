"""What the guardian costs while nothing happens: resident memory, and CPU time over a quiet while."""

from __future__ import annotations

import contextlib
import time

import psutil

from benchmarks.measure import Claim, Report, Samples
from benchmarks.place import Place

QUIET = 20.0
"""Seconds to watch."""


def run(place: Place) -> Report:
    """Measure the guardian of a pair that is up and idle."""
    place.cartridge("up")
    try:
        watched = _guardians(str(place.project))
        before = sum(sum(process.cpu_times()[:2]) for process in watched)
        time.sleep(QUIET)
        used = sum(sum(process.cpu_times()[:2]) for process in watched) - before
        memory = sum(process.memory_info().rss for process in watched) / 1e6
    finally:
        place.cartridge("down", "--yes")
    return Report(
        "Guardian",
        [
            Claim("resident memory", Samples("rss", (memory,)), 40.0, unit="MB"),
            Claim(f"CPU in {QUIET:g} idle seconds", Samples("cpu", (used,)), 0.02, unit="s"),
        ],
        [f"{len(watched)} process(es): the guardian and what watches over it"],
    )


def _guardians(project: str) -> list[psutil.Process]:
    """Return what `targets.process.launch` became for a stack of the project: the guardian, and who watches over it."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if any("targets.process.launch" in word for word in words) and any(project in word for word in words):
                found.append(process)
    return found
