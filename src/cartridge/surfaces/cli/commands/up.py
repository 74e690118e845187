"""`cartridge up`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.commands.ps import component_table
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, FORCE_CLOSE, OFFLINE, TTL, WAIT_TIMEOUT
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Ink, Style, elapsed

if TYPE_CHECKING:
    from cartridge.operations.results.stacks import UpResult


@command("up", *CHOOSE, OFFLINE, TTL, WAIT_TIMEOUT, FORCE_CLOSE)
@click.option("--fresh", is_flag=True, help="Start from nothing, even where the data of the last start is kept.")
@click.option("--refresh", is_flag=True, help="Look at what really runs, even if no file changed, and mend it.")
def up(session: Session, flags: Flags, *, refresh: bool, fresh: bool) -> None:
    """Bring a stack up and wait until it is ready.

    Ready means usable: channels active and known on both sides, payments pass. A second `up` changes only what
    differs; with nothing changed it returns at once. After a `down`, an unchanged stack starts from the data it had
    when it was ready for the first time, which takes half as long; `--fresh` does without.
    """
    with session.context("up", flags) as context:
        result = session.verbs.up(context, refresh=refresh, fresh=fresh)
    session.answer("up", result, lambda style: text(result, style, hints=session.terminal.answers_are_watched))


def text(result: UpResult, style: Style, *, hints: bool) -> str:
    """Return what is up, and on a terminal what to type next."""
    what = f"{style.paint(result.stack, Ink.BOLD)} is {style.paint('ready', Ink.GREEN)} ({result.target})"
    took = f" in {elapsed(result.seconds)}" if result.changed else "; nothing changed"
    lines = [f"{what}{took}\n"]
    if result.stages:
        chain = " → ".join(f"{stage.step} {elapsed(stage.seconds)}" for stage in result.stages)
        lines.append(style.paint(f"critical chain: {chain}", Ink.DIM) + "\n")
    lines += ["\n", component_table(result.components, style)]
    if hints and result.hints:
        lines += ["\n", "try:\n", *(f"  {style.paint(hint, Ink.CYAN)}\n" for hint in result.hints)]
    return "".join(lines)


COMMAND = up
