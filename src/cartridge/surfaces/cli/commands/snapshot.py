"""`cartridge snapshot`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cartridge.surfaces.cli.command import command, group
from cartridge.surfaces.cli.commands.ps import short
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Ink, Style
from cartridge.surfaces.cli.suggestions import suggest

if TYPE_CHECKING:
    from cartridge.operations.results.copies import SnapshotResult, SnapshotView
    from cartridge.surfaces.cli.verbs import SnapshotAction


@command("create", *CHOOSE)
@click.argument("name", required=False, default="", metavar="[NAME]")
def create(session: Session, flags: Flags, *, name: str) -> None:
    """Keep the data of a stack that runs, until somebody removes it.

    The network stands still for some milliseconds while its data is copied, and goes on.
    """
    _do(session, flags, "create", (name,) if name else ())


@command("ls")
def ls(session: Session, flags: Flags) -> None:
    """List what is kept, newest first.

    The cause is `asked` where somebody asked for it, and `ready` where a stack came up from nothing: the next `up` of
    the same definition starts from that one, and the oldest of these go by themselves.
    """
    _do(session, flags, "ls")


@command("rm")
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=suggest("snapshot"))
def rm(session: Session, flags: Flags, *, names: tuple[str, ...]) -> None:
    """Remove snapshots, by their names, their ids, or the beginnings of these."""
    _do(session, flags, "rm", names)


@command("export")
@click.argument("name", shell_complete=suggest("snapshot"))
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE")
def export(session: Session, flags: Flags, *, name: str, path: Path) -> None:
    """Write a snapshot to a file. It holds the keys of every node."""
    _do(session, flags, "export", (name,), path)


@command("import")
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE")
def take_in(session: Session, flags: Flags, *, path: Path) -> None:
    """Read a snapshot from a file that `export` wrote, and check every byte of it."""
    _do(session, flags, "import", (), path)


def _do(
    session: Session, flags: Flags, action: SnapshotAction, names: tuple[str, ...] = (), file: Path | None = None
) -> None:
    with session.context("snapshot", flags) as context:
        result = session.verbs.snapshot(context, action=action, names=names, file=file)
    session.answer("snapshot", result, lambda style: text(result, style))


def text(result: SnapshotResult, style: Style) -> str:
    """Return what was done, and the snapshots it was done to."""
    if result.action == "ls":
        return table(result, style) if result.snapshots else "there are no snapshots here\n"
    names = ", ".join(style.paint(one.name or one.id, Ink.BOLD) for one in result.snapshots) or "what could not be read"
    match result.action:
        case "create":
            one = result.snapshots[0]
            stood = f"the network stood still for {result.still * 1000:.0f} ms"
            return f"{names}: {one.stack} at height {one.height}, {_size(one)}; {stood}\n"
        case "export":
            return f"{names} is in {result.file}\n"
        case "import":
            return f"{names} was read from {result.file}\n"
        case _:
            return f"{names} removed\n"


def table(result: SnapshotResult, style: Style) -> str:
    """Return the snapshots as aligned columns."""
    rows = [
        (one.name or "-", one.id, one.stack, one.target, str(one.height), _size(one), short(one.created), one.cause)
        for one in result.snapshots
    ]
    return style.table(("NAME", "ID", "STACK", "TARGET", "HEIGHT", "SIZE", "TAKEN", "CAUSE"), rows)


def _size(one: SnapshotView) -> str:
    return f"{one.size / 1e6:.1f} MB"


COMMAND = group(
    "snapshot",
    "Keep the data of what runs, and list, remove, export or import what is kept.",
    *(create, ls, rm, export, take_in),
)
