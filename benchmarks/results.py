"""Writes RESULTS.md: a table a case, with the machine it was measured on. Cases not run keep their last table."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measure import Claim, Report

PATH = Path(__file__).with_name("RESULTS.md")

_HEAD = """\
# Results

Written by `make bench`. Times are wall-clock seconds unless said otherwise: median (lowest to highest). Contenders take
turns in one run; a ratio is between the medians of the same rounds. A figure that is missed stands here as it is.
"""
_SECTION = re.compile(r"<!-- (\w+) -->\n(.*?)(?=\n<!-- |\Z)", re.DOTALL)


def write(reports: Mapping[str, Report]) -> None:
    """Replace the sections of the cases that ran."""
    old = dict(_SECTION.findall(PATH.read_text(encoding="utf-8"))) if PATH.exists() else {}
    new = {**old, **{case: text(report) for case, report in reports.items()}}
    sections = [f"<!-- {case} -->\n{body.strip()}\n" for case, body in new.items()]
    PATH.write_text("\n".join([_HEAD, *sections]), encoding="utf-8")


def text(report: Report) -> str:
    """Return one case as Markdown."""
    rows = ["| what | ours | peer | value | promised | |", "|---|---|---|---|---|---|", *map(_row, report.claims)]
    notes = [f"- {note}" for note in report.notes]
    return "\n".join([f"## {report.title}", "", _machine(), "", *rows, "", *notes]) + "\n"


def _row(claim: Claim) -> str:
    peer = f"{claim.peer.name}: {claim.peer}" if claim.peer else "–"
    value = f"{claim.value:.2f} ×" if claim.peer else f"{claim.value:.2f} {claim.unit}".strip()
    limit = f"≤ {claim.limit:g} ×" if claim.peer else f"≤ {claim.limit:g} {claim.unit}".strip()
    return f"| {claim.what} | {claim.ours} | {peer} | {value} | {limit} | {'kept' if claim.holds else '**missed**'} |"


def _machine() -> str:
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown"
    )
    return f"{os.cpu_count()} × {cpu}, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []
