"""`cartridge render`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, OFFLINE
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Ink, Style, count

if TYPE_CHECKING:
    from cartridge.operations.results.reports import RenderResult


@command("render", *CHOOSE, OFFLINE)
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER", help="Write them there.")
def render(session: Session, flags: Flags, *, to: Path | None) -> None:
    """Print every file the components would get, with placeholders for secrets and for ports not chosen yet."""
    with session.context("render", flags) as context:
        result = session.verbs.render(context, to=to)
    session.answer("render", result, lambda style: text(result, style) if to is None else listing(result, to))


def text(result: RenderResult, style: Style) -> str:
    """Return each file under its name."""
    return "\n".join(f"{style.paint(f'# --- {file.path}', Ink.BOLD)}\n{file.text}" for file in result.files)


def listing(result: RenderResult, to: Path) -> str:
    """Return which files were written."""
    return f"wrote {count(len(result.files), 'file')}:\n" + "".join(f"  {to / file.path}\n" for file in result.files)


COMMAND = render
