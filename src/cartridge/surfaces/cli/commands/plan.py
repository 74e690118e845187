"""`cartridge plan`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from cartridge.errors import ExitStatus
from cartridge.plan.change import ChangeKind
from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, OFFLINE
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Ink, Style

if TYPE_CHECKING:
    from cartridge.operations.results.reports import PlanResult
    from cartridge.plan.change import Change

SIGNS: Mapping[ChangeKind, tuple[str, Ink]] = {
    ChangeKind.CREATE: ("+", Ink.GREEN),
    ChangeKind.START: (">", Ink.GREEN),
    ChangeKind.UPDATE: ("~", Ink.YELLOW),
    ChangeKind.REPLACE: ("±", Ink.YELLOW),
    ChangeKind.DELETE: ("-", Ink.RED),
    ChangeKind.KEEP: ("=", Ink.DIM),
}


@command("plan", *CHOOSE, OFFLINE)
@click.option("--refresh", is_flag=True, help="Look at what really runs as well, and report drift.")
@click.option("--exit-code", is_flag=True, help="End with status 10 where `up` would change something.")
def plan(session: Session, flags: Flags, *, refresh: bool, exit_code: bool) -> int:
    """Say what `up` would do to each resource, and why. Changes nothing."""
    with session.context("plan", flags) as context:
        result = session.verbs.plan(context, refresh=refresh)
    session.answer("plan", result, lambda style: text(result, style))
    return ExitStatus.CHANGES if exit_code and result.has_changes else ExitStatus.FINE


def text(result: PlanResult, style: Style) -> str:
    """Return a line a change, drift after that, and a sum."""
    every = (*result.changes, *result.drift)
    width = max((len(change.resource) for change in every), default=0)
    lines = [f"plan for {style.paint(result.stack, Ink.BOLD)} ({result.target})\n"]
    lines += _lines(result.changes, width, style)
    if result.drift:
        lines += ["not as the last `up` left it:\n", *_lines(result.drift, width, style)]
    return "".join(lines) + _sum(every) + "\n"


def _lines(changes: Sequence[Change], width: int, style: Style) -> list[str]:
    return [f"  {style.paint(*SIGNS[change.kind])} {change.resource:<{width}}  {change.reason}\n" for change in changes]


def _sum(changes: Sequence[Change]) -> str:
    number = Counter(change.kind for change in changes)
    parts = [f"{number[kind]} to {kind.value}" for kind in SIGNS if number[kind] and kind is not ChangeKind.KEEP]
    return ", ".join(parts) if parts else "no change"


COMMAND = plan
