"""`cartridge verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cartridge.errors import ExitStatus
from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, OFFLINE
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Ink, Style, count

if TYPE_CHECKING:
    from cartridge.operations.results.reports import VerifyResult

GRADES = ("config", "inputs", "build", "data")
"""From the least to the most that is pinned."""


@command("verify", *CHOOSE, OFFLINE)
@click.option("--require", type=click.Choice(GRADES), help="End with status 1 below this grade.")
def verify(session: Session, flags: Flags, *, require: str | None) -> int:
    """Check every pinned digest against what is there, and grade how far the stack is reproducible."""
    with session.context("verify", flags) as context:
        result = session.verbs.verify(context, require=require)
    session.answer("verify", result, lambda style: text(result, style))
    return ExitStatus.VERDICT_FAILED if failed(result, require) else ExitStatus.FINE


def failed(result: VerifyResult, require: str | None) -> bool:
    """Return whether something does not match, or the grade is lower than required."""
    low = require is not None and (result.grade not in GRADES or GRADES.index(result.grade) < GRADES.index(require))
    return low or any(line.wrong for line in result.lines)


def text(result: VerifyResult, style: Style) -> str:
    """Return a grade a resource, and the overall one."""
    rows = [
        (line.resource, line.grade or "-", f"{line.detail}{'; ' if line.detail and line.wrong else ''}{line.wrong}")
        for line in result.lines
    ]
    table = style.table(("RESOURCE", "GRADE", "DETAIL"), rows) if rows else ""
    wrong = sum(bool(line.wrong) for line in result.lines)
    verdict = style.paint(f"; {count(wrong, 'resource')} wrong", Ink.RED) if wrong else ""
    return f"{table}grade: {style.paint(result.grade or 'none', Ink.BOLD)}{verdict}\n"


COMMAND = verify
