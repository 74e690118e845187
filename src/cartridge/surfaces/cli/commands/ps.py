"""`cartridge ps`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Ink, Style

if TYPE_CHECKING:
    from cartridge.operations.results.stacks import ComponentView, PsResult, StackView


@command("ps", *CHOOSE)
@click.option("-a", "--all", "all_stacks", is_flag=True, help="Every stack of the project, even if one is chosen.")
def ps(session: Session, flags: Flags, *, all_stacks: bool) -> None:
    """List what is up: every component with its state and addresses."""
    with session.context("ps", flags) as context:
        result = session.verbs.ps(context, all_stacks=all_stacks)
    session.answer("ps", result, lambda style: text(result, style))


def text(result: PsResult, style: Style) -> str:
    """Return a table a stack."""
    if not result.stacks:
        return f"nothing is up here; {style.paint('cartridge up', Ink.CYAN)} starts a stack\n"
    return "\n".join(_stack(stack, style) for stack in result.stacks)


def _stack(stack: StackView, style: Style) -> str:
    since = f", since {short(stack.created)}" if stack.created else ""
    until = f", until {short(stack.expires)}" if stack.expires else ""
    head = f"{style.paint(stack.stack, Ink.BOLD)} ({stack.target}{since}{until})\n"
    return head + component_table(stack.components, style)


def component_table(components: Sequence[ComponentView], style: Style) -> str:
    """Return the components as aligned columns, and under them what is to be said of some."""
    if not components:
        return "not all of it is up; `cartridge up` goes on, `cartridge down` removes what there is\n"
    rows = [
        (
            component.name,
            component.kind,
            component.state,
            ", ".join(f"{port.name} {port.address}" for port in component.ports) or "-",
        )
        for component in components
    ]
    notes = [f"  {component.name}: {note}\n" for component in components if (note := _note(component))]
    return style.table(("NAME", "KIND", "STATE", "ADDRESSES"), rows, states=2) + "".join(notes)


def short(moment: str) -> str:
    """Return an ISO 8601 moment to the second, in UTC."""
    return f"{moment[:19].replace('T', ' ')} UTC" if len(moment) >= 19 else moment


def _note(component: ComponentView) -> str:
    ended = f"exit status {component.exit_status}" if component.exit_status is not None else ""
    again = f"restarted {component.restarts} ×" if component.restarts else ""
    return ", ".join(part for part in (ended, again, component.note) if part)


COMMAND = ps
