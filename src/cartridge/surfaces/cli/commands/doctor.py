"""`cartridge doctor`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cartridge.errors import ExitStatus
from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import OFFLINE, TARGET
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Ink, Style

if TYPE_CHECKING:
    from cartridge.operations.results.reports import DoctorResult

WORDS = {"could_not_run": "unknown"}


@command("doctor", TARGET, OFFLINE)
def doctor(session: Session, flags: Flags) -> int:
    """Look whether this machine has what stacks need, and say how to get what is missing.

    Ends with status 1 where something is missing, 5 where something could not be found out.
    """
    with session.context("doctor", flags) as context:
        result = session.verbs.doctor(context)
    session.answer("doctor", result, lambda style: text(result, style))
    return status(result)


def status(result: DoctorResult) -> ExitStatus:
    """Return what the verdicts come to."""
    verdicts = {line.verdict for line in result.lines}
    if "failed" in verdicts:
        return ExitStatus.VERDICT_FAILED
    return ExitStatus.COULD_NOT_RUN if "could_not_run" in verdicts else ExitStatus.FINE


def text(result: DoctorResult, style: Style) -> str:
    """Return a verdict a line, then what to do about the bad ones."""
    rows = [(WORDS.get(line.verdict, line.verdict), line.subject, line.detail) for line in result.lines]
    parts = [style.table(("VERDICT", "SUBJECT", "DETAIL"), rows, states=0)]
    todo = [line for line in result.lines if line.resolution and line.verdict != "passed"]
    parts += [f"  {style.paint('try:', Ink.CYAN)} {line.subject}: {line.resolution}\n" for line in todo]
    number = Counter(verdict for verdict, _, _ in rows)
    return "".join(parts) + ", ".join(f"{many} {verdict}" for verdict, many in number.items()) + "\n"


COMMAND = doctor
