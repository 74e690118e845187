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
@click.option("--to", "to_height", type=click.IntRange(min=1), metavar="HEIGHT", help="Mine up to this height instead.")
def mine(session: Session, flags: Flags, *, blocks: int, to_height: int | None) -> None:
    """Mine BLOCKS (one if not given) and wait until every node has them."""
    with session.context("mine", flags) as context:
        result = session.verbs.mine(context, blocks=blocks, to_height=to_height)
    session.answer(
        "mine",
        result,
        lambda _: (
            f"mined {count(len(result.blocks), 'block')}; the chain is at height {result.height}\n"
            + "".join(f"{name} does not answer, and may be behind\n" for name in result.absent)
        ),
    )


COMMAND = mine
