"""Every failure on its way out: a block of text on stderr, an object on stdout with `-o json`, an exit status.

What is no failure of the user's or of the world's is a bug: it goes to a crash file, and one line names that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cartridge.errors import CartridgeError, DocumentsError, Finding, InterruptError, Severity
from cartridge.surfaces.cli.style import Ink, Style, count
from cartridge.surfaces.cli.terminal import Terminal
from cartridge.surfaces.cli.translation import translated

if TYPE_CHECKING:
    from cartridge.surfaces.cli.session import Session


def report(error: BaseException, arguments: Sequence[str], session: Session | None) -> int:
    """Tell about `error` and return the exit status it means.

    Args:
        error: whatever ended the run.
        arguments: what was typed.
        session: of the run; None where it failed before there was one.
    """
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        Terminal.of(arguments).tell(f"{error.format_message()}\n")
        return error.exit_code
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    known = translated(error)
    if known is None:
        from cartridge.surfaces.cli.crash import write_crash

        known = write_crash(error, arguments, session)
    terminal = session.terminal if session else Terminal.of(arguments)
    if isinstance(error, KeyboardInterrupt) and terminal.progress_is_watched:
        terminal.tell("\n")  # after the terminal's own ^C
    say(known, terminal)
    return known.exit_status


def say(error: CartridgeError, terminal: Terminal) -> None:
    """Write the failure where people, and with `-o json` programs, look for it."""
    if terminal.json:
        from cartridge.surfaces.cli.answers import ErrorResult, ErrorView, as_json

        findings = error.findings if isinstance(error, DocumentsError) else ()
        view = ErrorView(
            error.code, error.brief, int(error.exit_status), error.details, error.resolution, error.mark, findings
        )
        terminal.answer(as_json("error", ErrorResult(view)))
    terminal.tell(text(error, terminal.error_style))


def text(error: CartridgeError, style: Style) -> str:
    """Return the block that people read."""
    if isinstance(error, DocumentsError) and error.findings:
        return findings_text(error.findings, style)
    if isinstance(error, InterruptError):
        more = f"; {error.resolution}" if error.resolution else ""
        return style.paint(error.brief, Ink.YELLOW) + f"{more}\n"
    lines = [f"{style.paint(f'error[{error.code}]', Ink.BOLD, Ink.RED)}: {error.brief}"]
    if error.mark is not None:
        lines.append(f" {style.paint('-->', Ink.DIM)} {error.mark}")
    lines += [f"  | {line}".rstrip() for line in error.details]
    if error.resolution:
        lines.append(f"  {style.paint('try', Ink.CYAN)}: {error.resolution}")
    if error.code not in UNEXPLAINED:
        lines.append(f"  {style.paint('see', Ink.CYAN)}: cartridge explain {error.code}")
    return "\n".join(lines) + "\n"


def findings_text(findings: Sequence[Finding], style: Style) -> str:
    """Return every finding, and how many there are."""
    from cartridge.workspace import report as documents

    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    warnings = len(findings) - errors
    parts = [*([count(errors, "error")] if errors else []), *([count(warnings, "warning")] if warnings else [])]
    first = findings[0].code
    more = f"{' and '.join(parts)}; `cartridge explain {first}` says more\n"
    return f"{documents.text(findings, colour=style.coloured)}\n{more}"


UNEXPLAINED = frozenset({"code-unknown", "usage"})
"""Codes whose message says all there is; their page would only repeat it."""
