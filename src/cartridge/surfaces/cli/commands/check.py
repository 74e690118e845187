"""`cartridge check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartridge.errors import ExitStatus, Severity
from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Ink, Style, count

if TYPE_CHECKING:
    from cartridge.operations.results.reports import CheckResult


@command("check", *CHOOSE)
def check(session: Session, flags: Flags) -> int:
    """Report everything wrong in your documents at once; status 2 if there is an error among it."""
    with session.context("check", flags) as context:
        result = session.verbs.check(context)
    session.answer("check", result, lambda style: text(result, style))
    wrong = any(finding.severity is Severity.ERROR for finding in result.findings)
    return ExitStatus.INPUT_WRONG if wrong else ExitStatus.FINE


def text(result: CheckResult, style: Style) -> str:
    """Return the findings, or that there are none."""
    if not result.findings:
        return f"{count(result.documents, 'document')}, {style.paint('nothing wrong', Ink.GREEN)}\n"
    from cartridge.surfaces.cli.failure import findings_text

    return findings_text(result.findings, style)


COMMAND = check
