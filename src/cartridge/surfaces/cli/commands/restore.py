"""`cartridge restore`."""

from __future__ import annotations

import click

from cartridge.errors import InterruptError
from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.commands.down import agreed
from cartridge.surfaces.cli.commands.ps import component_table
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, OFFLINE, TTL, WAIT_TIMEOUT, YES
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Ink, elapsed
from cartridge.surfaces.cli.suggestions import suggest


@command("restore", *CHOOSE, OFFLINE, TTL, WAIT_TIMEOUT, YES)
@click.argument("snapshot", required=False, default="", metavar="[NAME]", shell_complete=suggest("snapshot"))
def restore(session: Session, flags: Flags, *, snapshot: str) -> None:
    """Bring a stack to the data of a snapshot: the newest, or the one named.

    What the stack has now is removed first. Names of nodes stay, ports are new. Asks first on a terminal where the
    stack is up; without one it wants `--yes`, except where CI is set.
    """
    with session.context("restore", flags) as context:
        if not flags.yes and not session.terminal.unattended and not agreed(session, context, all_stacks=False):
            raise InterruptError("nothing was changed")
        result = session.verbs.restore(context, snapshot=snapshot)
    session.answer(
        "restore",
        result,
        lambda style: (
            f"{style.paint(result.stack, Ink.BOLD)} is {style.paint('ready', Ink.GREEN)} ({result.target}) on the data"
            f" of {result.snapshot} in {elapsed(result.seconds)}\n\n{component_table(result.components, style)}"
        ),
    )


COMMAND = restore
