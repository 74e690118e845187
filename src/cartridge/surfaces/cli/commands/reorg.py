"""`cartridge reorg`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, WAIT_TIMEOUT
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import count

if TYPE_CHECKING:
    from cartridge.operations.results.networks import ReorgResult


@command("reorg", *CHOOSE, WAIT_TIMEOUT)
@click.argument("depth", type=click.IntRange(min=1))
@click.option("--empty", is_flag=True, help="Leave what was in the old blocks in the mempool.")
@click.option("--force", is_flag=True, help="Even if channels are not confirmed more deeply.")
def reorg(session: Session, flags: Flags, *, depth: int, empty: bool, force: bool) -> None:
    """Replace the newest DEPTH blocks by one more of others, and wait until every node follows.

    A channel whose funding would go back may break for good, so it is named and nothing is done, unless forced.
    """
    with session.context("reorg", flags) as context:
        result = session.verbs.reorg(context, depth=depth, empty=empty, force=force)
    session.answer("reorg", result, lambda _: text(result))


def text(result: ReorgResult) -> str:
    """Return what was replaced, and what became of the transactions."""
    lines = [f"replaced {count(result.depth, 'block')}; the chain is at height {result.height}"]
    waiting, lost = set(result.waiting), set(result.lost)
    for txid in result.returned:
        became = "waits in the mempool" if txid in waiting else "is lost" if txid in lost else "is confirmed again"
        lines.append(f"{txid} {became}")
    lines += [f"the funding of {name} went back" for name in result.shallow]
    return "\n".join(lines) + "\n"


COMMAND = reorg
