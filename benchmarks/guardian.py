"""What the guardian costs while nothing happens: resident memory, and CPU time over a quiet while."""

from __future__ import annotations

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
    found = []
    for process in psutil.process_iter():
        try:
            if "guardian" in " ".join(process.cmdline()) and process.environ():
                found.append(process)
        except psutil.Error:
            continue
    return found
