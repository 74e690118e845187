"""`cartridge init`."""

from __future__ import annotations

from pathlib import Path

import click

from cartridge.surfaces.cli.answers import InitResult
from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Ink, Style


@command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option("--example", metavar="NAME", default="lightning-pair", show_default=True, help="What to begin with.")
def init(session: Session, _: Flags, *, folder: Path, example: str) -> None:
    """Write a small project into FOLDER (here if not given); overwrites nothing."""
    result = InitResult(str(folder), session.verbs.init(folder, example=example))
    session.answer("init", result, lambda style: text(result, style))


def text(result: InitResult, style: Style) -> str:
    """Return what was written and what to do with it."""
    where = "" if result.folder == "." else f"cd {result.folder} && "
    written = "".join(f"  {style.paint('+', Ink.GREEN)} {path}\n" for path in result.files)
    return f"wrote to `{result.folder}`:\n{written}\ntry:\n  {style.paint(f'{where}cartridge up', Ink.CYAN)}\n"


COMMAND = init
