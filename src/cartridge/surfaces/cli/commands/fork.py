"""`cartridge fork`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.commands.ps import component_table
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, OFFLINE, TTL, WAIT_TIMEOUT
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Ink, Style, elapsed
from cartridge.surfaces.cli.suggestions import suggest

if TYPE_CHECKING:
    from cartridge.operations.results.copies import ForkResult

FROM = "Start from this snapshot, not from what runs."


@command("fork", *CHOOSE, OFFLINE, TTL, WAIT_TIMEOUT)
@click.argument("name")
@click.option("--from", "snapshot", default="", metavar="NAME", shell_complete=suggest("snapshot"), help=FROM)
def fork(session: Session, flags: Flags, *, name: str, snapshot: str) -> None:
    """Make a second network beside the first, with the same channels and balances.

    Both live on and know nothing of each other. Other verbs reach the fork with `--stack NAME`; without it they mean
    the first. `cartridge down --stack NAME` removes the fork alone.
    """
    with session.context("fork", flags) as context:
        result = session.verbs.fork(context, name=name, snapshot=snapshot)
    session.answer("fork", result, lambda style: text(result, style))


def text(result: ForkResult, style: Style) -> str:
    """Return what was made, of what, and what it cost the first one."""
    what = f"{style.paint(result.name, Ink.BOLD)} is {style.paint('ready', Ink.GREEN)} ({result.target})"
    of = f"a fork of {result.snapshot or result.origin}"
    stood = f"; {result.origin} stood still for {result.still * 1000:.0f} ms" if result.still else ""
    return f"{what} in {elapsed(result.seconds)}: {of}{stood}\n\n{component_table(result.components, style)}"


COMMAND = fork
