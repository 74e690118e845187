"""`cartridge down`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cartridge.errors import InputError, InterruptError
from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, OFFLINE, YES
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Ink, Style, count, elapsed

if TYPE_CHECKING:
    from cartridge.operations.access.context import Context
    from cartridge.operations.results.stacks import DownResult, StackView


@command("down", *CHOOSE, OFFLINE, YES)
@click.option("-a", "--all", "all_stacks", is_flag=True, help="Every stack of this project.")
def down(session: Session, flags: Flags, *, all_stacks: bool) -> None:
    """End a stack and remove everything it made, its data included.

    Asks first on a terminal. Without one it wants `--yes`, except where CI is set.
    """
    with session.context("down", flags) as context:
        if not flags.yes and not session.terminal.unattended and not agreed(session, context, all_stacks=all_stacks):
            raise InterruptError("nothing was removed")
        result = session.verbs.down(context, all_stacks=all_stacks)
    session.answer("down", result, lambda style: text(result, style))


def text(result: DownResult, style: Style) -> str:
    """Return what was removed."""
    kept = f"{count(result.snapshots, 'snapshot')} kept: cartridge snapshot ls\n" if result.snapshots else ""
    if not result.removed:
        return f"nothing was up\n{kept}"
    be = "are" if ", " in result.stack else "is"
    what = f"{style.paint(result.stack, Ink.BOLD)} {be} down ({result.target})"
    head = f"{what}: {count(len(result.removed), 'resource')} removed in {elapsed(result.seconds)}\n"
    return head + "".join(f"  {style.paint('-', Ink.RED)} {name}\n" for name in result.removed) + kept


def agreed(session: Session, context: Context, *, all_stacks: bool) -> bool:
    """Ask whether what is up may be removed; True where nothing is.

    Raises:
        InputError: `confirmation-needed`, there is nobody to ask.
    """
    stacks = session.verbs.ps(context, all_stacks=all_stacks).stacks
    if not stacks:
        return True
    what = "; ".join(_what(stack) for stack in stacks)
    if not session.terminal.can_ask:
        raise InputError(
            f"this would remove {what}, and there is nobody to ask",
            code="confirmation-needed",
            resolution="give `--yes`",
        )
    session.terminal.tell(f"This removes {what}, data included.\nGo on? [y/N] ")
    answer = session.terminal.stdin.readline()
    if not answer:
        raise InterruptError
    return answer.strip().lower() in {"y", "yes"}


def _what(stack: StackView) -> str:
    names = ", ".join(component.name for component in stack.components)
    return f"`{stack.stack}` ({stack.target}: {names})" if names else f"`{stack.stack}` ({stack.target})"


COMMAND = down
