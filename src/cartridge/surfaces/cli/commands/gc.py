"""`cartridge gc`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Style, count

if TYPE_CHECKING:
    from cartridge.operations.results.reports import GcResult


@command("gc")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def gc(session: Session, flags: Flags, *, dry_run: bool) -> None:
    """Remove what dead or expired runs left behind; what is in use stays."""
    with session.context("gc", flags) as context:
        result = session.verbs.gc(context, dry_run=dry_run)
    session.answer("gc", result, lambda style: text(result, style, dry_run=dry_run))


def text(result: GcResult, style: Style, *, dry_run: bool) -> str:
    """Return what was found and what became of it."""
    if not result.orphans:
        return "nothing was left behind\n"
    kept = "would be removed" if dry_run else "could not be removed"
    rows = [
        (orphan.kind, orphan.identity, orphan.stack or "-", "removed" if orphan.removed else kept, orphan.reason)
        for orphan in result.orphans
    ]
    left = sum(not orphan.removed for orphan in result.orphans)
    parts = [*([f"{len(rows) - left} removed"] if left < len(rows) else []), *([f"{left} {kept}"] if left else [])]
    total = f"{count(len(rows), 'orphan')}: {', '.join(parts)}\n"
    return style.table(("KIND", "IDENTITY", "STACK", "STATE", "REASON"), rows) + total


COMMAND = gc
