"""`cartridge network`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cartridge.surfaces.cli.command import command, group
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Ink, Style, count

if TYPE_CHECKING:
    from cartridge.operations.results.topologies import ExportResult, GraphResult, ImportResult

READABLE = ("describegraph", "polar", "warnet")
WRITABLE = ("sim-ln", "lndconnect", "describegraph")
PICTURES = ("svg", "png")
_FILE = click.Path(dir_okay=False, path_type=Path)
_FORCE = "Overwrite a file that is there."


@command("import", *CHOOSE)
@click.argument("source", type=_FILE, metavar="FILE")
@click.option("--format", "form", type=click.Choice(READABLE), help="What FILE is; found out if not given.")
@click.option("--name", metavar="NAME", help="Name of the stack; what FILE says if not given.")
@click.option("--to", type=_FILE, metavar="PATH", help="Where to write it.  [default: stacks/NAME.yaml]")
@click.option(
    "--nodes", type=click.IntRange(min=1), default=50, show_default=True, metavar="N", help="Keep at most so many."
)
@click.option(
    "--implementation", default="lnd", show_default=True, metavar="NAME", help="What runs nodes; `same` keeps theirs."
)
@click.option("--force", is_flag=True, help=_FORCE)
def take_in(session: Session, flags: Flags, **order: object) -> None:
    """Write a stack from a network in the file of another tool.

    FILE is what `lncli describegraph` prints, an archive exported by Polar, or Warnet's network.yaml. What cannot be
    here as it is there is changed or left out, and each change is told, here and at the top of the stack.
    """
    from cartridge.operations.imports import Order

    with session.context("network", flags) as context:
        result = session.verbs.network_import(context, order=Order(**order))  # type: ignore[arg-type]
    session.answer("network-import", result, lambda style: imported_text(result, style))


def imported_text(result: ImportResult, style: Style) -> str:
    """Return what was written, what is different, and what to do with it."""
    verb = "overwrote" if result.overwrote else "wrote"
    head = f"{verb} `{result.path}`: {count(result.nodes, 'node')}, {count(result.channels, 'channel')}"
    notes = "".join(f"  {style.paint('~', Ink.YELLOW)} {note}\n" for note in result.notes)
    return f"{head}\n{notes}try:\n  {style.paint(f'cartridge up --stack {result.stack}', Ink.CYAN)}\n"


@command("export", *CHOOSE)
@click.option(
    "--format", "form", type=click.Choice(WRITABLE), default="describegraph", show_default=True, help="For which tool."
)
@click.option("--to", type=_FILE, metavar="PATH", help="Write it there instead of printing it.")
@click.option("--reveal", is_flag=True, help="Put macaroons into links.")
@click.option("--force", is_flag=True, help=_FORCE)
def export(session: Session, flags: Flags, *, form: str, to: Path | None, reveal: bool, force: bool) -> None:
    """Print a network that is up in a form other tools read.

    `sim-ln` is the simulation file of sim-ln, `lndconnect` a link for each node, `describegraph` the graph in lnd's
    own JSON.
    """
    with session.context("network", flags) as context:
        result = session.verbs.network_export(context, form=form, to=to, reveal=reveal, force=force)
    session.answer("network-export", result, lambda _: exported_text(result))
    for note in result.notes:
        session.terminal.tell(f"{note}\n")


def exported_text(result: ExportResult) -> str:
    """Return the text, or where it is."""
    return f"wrote `{result.path}`\n" if result.path else result.text


@command("graph", *CHOOSE)
@click.option("--format", "form", type=click.Choice(PICTURES), help="Write a picture instead.")
@click.option("--to", type=_FILE, metavar="PATH", help="Where the picture goes.  [default: STACK.svg or STACK.png]")
@click.option("--force", is_flag=True, help=_FORCE)
def graph(session: Session, flags: Flags, *, form: str | None, to: Path | None, force: bool) -> None:
    """Draw a network: who is connected to whom, and who holds how much of each channel.

    Balances are those of now where the network is up, and what is written where it is not.
    """
    form = form or (to.suffix[1:] if to is not None and to.suffix[1:] in PICTURES else "svg" if to else None)
    with session.context("network", flags) as context:
        result = session.verbs.network_graph(context, form=form, to=to, force=force)
    session.answer("network-graph", result, lambda style: drawn_text(result, style))


def drawn_text(result: GraphResult, style: Style) -> str:
    """Return the drawing, or where it is."""
    if result.path:
        return f"wrote `{result.path}`\n"
    said = "balances of now" if result.live else "balances as written"
    sizes = f"{count(len(result.nodes), 'node')}, {count(len(result.channels), 'channel')}; {said}"
    return f"{style.paint(result.stack, Ink.BOLD)}: {sizes}\n\n{result.text}"


COMMAND = group("network", "Import, export and draw networks.", take_in, export, graph)
