"""`cartridge lock`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cartridge.errors import ExitStatus
from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, OFFLINE
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Style, count
from cartridge.surfaces.cli.suggestions import suggest

if TYPE_CHECKING:
    from cartridge.operations.results.reports import LockResult


@command("lock", *CHOOSE, OFFLINE)
@click.option("--check", is_flag=True, help="Write nothing; end with status 2 where the lock is out of step.")
@click.option(
    "--update", multiple=True, metavar="NAME", shell_complete=suggest("artifact"), help="Find this entry anew."
)
@click.option("--all", "all_entries", is_flag=True, help="Find every entry anew.")
def lock(session: Session, flags: Flags, *, check: bool, update: tuple[str, ...], all_entries: bool) -> int:
    """Pin every outside input by digest in `cartridge.lock`. What is pinned stays so unless named."""
    if check and (update or all_entries):
        raise click.UsageError("`--check` writes nothing, so it goes with neither `--update` nor `--all`")
    with session.context("lock", flags) as context:
        result = session.verbs.lock(context, check=check, update=update, all_entries=all_entries)
    session.answer("lock", result, lambda style: text(result, style))
    return ExitStatus.INPUT_WRONG if check and not result.in_step else ExitStatus.FINE


def text(result: LockResult, style: Style) -> str:
    """Return an entry a line, and whether anything was written."""
    rows = [
        (line.change, line.artifact, line.version, line.platform, line.channel, short(line.digest), line.reason)
        for line in result.lines
    ]
    head = ("STATE", "ARTIFACT", "VERSION", "PLATFORM", "CHANNEL", "DIGEST", "REASON")
    shown = len(head) if any(line.reason for line in result.lines) else -1
    table = style.table(head[:shown], [row[:shown] for row in rows], states=0) if rows else ""
    entries = {1: "1 entry"}.get(len(rows), f"{len(rows)} entries")
    if result.written:
        changed = count(sum(line.change != "kept" for line in result.lines), "change")
        return f"{table}{entries}, {changed} written to `cartridge.lock`\n"
    return f"{table}{entries}, {'in step' if result.in_step else 'out of step: `cartridge lock` mends it'}\n"


def short(digest: str) -> str:
    """Return the first twelve characters of a digest, after its algorithm."""
    algorithm, dash, value = digest.partition("-")
    return f"{algorithm}-{value[:12]}…" if dash and len(value) > 12 else digest[:12]


COMMAND = lock
