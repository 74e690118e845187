"""`cartridge wait`."""

from __future__ import annotations

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.commands.ps import text
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, WAIT_TIMEOUT
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.suggestions import suggest
from cartridge.surfaces.cli.verbs import Condition


@command("wait", *CHOOSE, WAIT_TIMEOUT)
@click.argument("components", nargs=-1, metavar="[COMPONENT]...", shell_complete=suggest("component"))
@click.option(
    "--for", "condition", type=click.Choice(["ready", "running", "stopped"]), default="ready", show_default=True,
    help="What to wait for.",
)  # fmt: skip
def wait(session: Session, flags: Flags, *, components: tuple[str, ...], condition: Condition) -> None:
    """Wait until components are ready, running or stopped; all components if none is named.

    Ends with status 5 where `--wait-timeout` (60 s if not given) passes first.
    """
    with session.context("wait", flags) as context:
        result = session.verbs.wait(context, components=components, condition=condition)
    session.answer("wait", result, lambda style: text(result, style))


COMMAND = wait
