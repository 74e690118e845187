"""`cartridge logs`."""

from __future__ import annotations

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, FILE
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Ink
from cartridge.surfaces.cli.suggestions import suggest

PAINTS = (Ink.CYAN, Ink.GREEN, Ink.YELLOW)


@command("logs", *(flag for flag in CHOOSE if flag is not FILE))
@click.argument("components", nargs=-1, metavar="[COMPONENT]...", shell_complete=suggest("component"))
@click.option("-n", "--tail", type=click.IntRange(min=0), metavar="LINES", help="Only the last lines of each.")
@click.option("-f", "--follow", is_flag=True, help="Go on as they come, until Ctrl-C.")
def logs(session: Session, flags: Flags, *, components: tuple[str, ...], tail: int | None, follow: bool) -> None:
    """Print what components said, oldest line first; all components if none is named.

    With more than one component each line begins with its name. `-o json` prints one object a line.
    """
    with session.context("logs", flags, orderly=False) as context:
        for component, raw in session.verbs.logs(context, components=components, tail=tail, follow=follow):
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            session.terminal.answer(_line(session, component, line, named=len(components) != 1))


def _line(session: Session, component: str, line: str, *, named: bool) -> str:
    if session.terminal.json:
        from cartridge.surfaces.cli.answers import LogLine, as_json

        return as_json("logs", LogLine(component, line), indent=None)
    if not named:
        return f"{line}\n"
    ink = PAINTS[sum(component.encode()) % len(PAINTS)]
    return f"{session.terminal.style.paint(f'{component} |', ink)} {line}\n"


COMMAND = logs
