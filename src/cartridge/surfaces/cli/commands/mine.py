"""`cartridge mine`."""

from __future__ import annotations

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, WAIT_TIMEOUT
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import count


@command("mine", *CHOOSE, WAIT_TIMEOUT)
@click.argument("blocks", type=click.IntRange(min=1), default=1)
def mine(session: Session, flags: Flags, *, blocks: int) -> None:
    """Mine BLOCKS (one if not given) and wait until every node has them."""
    with session.context("mine", flags) as context:
        result = session.verbs.mine(context, blocks=blocks)
    session.answer(
        "mine",
        result,
        lambda _: f"mined {count(len(result.blocks), 'block')}; the chain is at height {result.height}\n",
    )


COMMAND = mine
