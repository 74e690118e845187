"""Every failure on its way out: a block of text on stderr, an object on stdout with `-o json`, an exit status.

The only place of the command line that knows which exception means which status. What is no failure of the user's or
of the world's is a bug: it goes to a crash file and one line names that.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cartridge.errors import CartridgeError, DocumentsError, Finding, InputError, InterruptError, MissingError, Severity
from cartridge.surfaces.cli.catalogue import VERBS, UnknownVerb
from cartridge.surfaces.cli.style import Ink, Style, count
from cartridge.surfaces.cli.terminal import Terminal

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


def translated(error: BaseException) -> CartridgeError | None:
    """Return the failure as one of ours, or None for a bug."""
    if isinstance(error, CartridgeError):
        return error
    if isinstance(error, KeyboardInterrupt | click.Abort | EOFError):
        return InterruptError()
    if isinstance(error, click.ClickException):
        return _usage(error)
    return _refused(error) if isinstance(error, OSError) else None


def _refused(error: OSError) -> CartridgeError | None:
    """Return what the system refused as a failure of the world, where it is one whoever asks."""
    what = f"`{error.filename}`" if error.filename else "a file"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return MissingError(
            f"no space is left to write {what}",
            code="disk-full",
            resolution="make room, then run the same command again",
        )
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return MissingError(
            f"{what} may not be used: {error.strerror}",
            code="not-permitted",
            resolution="look whose it is, and what its folder allows",
        )
    return None


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
        return style.paint(error.brief, Ink.YELLOW) + "\n"
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


def _usage(error: click.ClickException) -> InputError:
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    message, _, remedy = _sentence(error).partition("; ")
    near = " or ".join(f"`{word}`" for word in _near(error))
    fallback = f"`{ctx.command_path} --help`" if ctx else ""
    return InputError(
        message,
        code="usage",
        details=(ctx.get_usage().replace("Usage:", "usage:"),) if ctx else (),
        resolution=f"did you mean {near}?" if near else remedy or fallback,
    )


def _sentence(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption):
        return f"there is no flag `{error.option_name}`"
    first, _, _ = error.format_message().partition("\n")
    sentence = re.sub(r"'([^']*)'", r"`\1`", first.strip().removesuffix("."))
    return re.sub(r"`\[(\w+)\]`", r"`\1`", sentence[:1].lower() + sentence[1:])


def _near(error: click.ClickException) -> Sequence[str]:
    from difflib import get_close_matches

    if isinstance(error, click.NoSuchOption):
        return error.possibilities or ()
    if isinstance(error, UnknownVerb):
        return get_close_matches(error.verb, VERBS, 2)
    value, is_choice, choices = error.format_message().partition(" is not one of ")
    if not is_choice:
        return ()
    return get_close_matches(value.rpartition(": ")[2].strip("'"), re.findall(r"'([^']+)'", choices), 1)
