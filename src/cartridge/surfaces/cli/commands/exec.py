"""`cartridge exec`."""

from __future__ import annotations

import click

from cartridge.surfaces.cli import interruption
from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.suggestions import suggest


@command("exec", *CHOOSE, context_settings={"allow_interspersed_args": False})
@click.argument("component", shell_complete=suggest("component"))
@click.argument("argv", nargs=-1, required=True, metavar="[--] PROGRAM [ARGUMENT]...", type=click.UNPROCESSED)
def execute(session: Session, flags: Flags, *, component: str, argv: tuple[str, ...]) -> int:
    """Run a program where a component runs, on this terminal; its exit status is ours.

    Flags of `exec` itself stand before the component's name: cartridge exec -s shop alice -- lncli getinfo
    """
    with session.context("exec", flags) as context, interruption.left_to_child():
        return session.verbs.execute(context, component=component, argv=argv[1:] if argv[0] == "--" else argv)


COMMAND = execute
