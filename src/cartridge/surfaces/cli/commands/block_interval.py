"""`cartridge block-interval`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, DurationFlag
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import count

if TYPE_CHECKING:
    from cartridge.operations.results.networks import MiningResult

OFF, ON_TRANSACTION = "off", "on-transaction"


class _Interval(DurationFlag):
    """A duration, or a word."""

    name = "interval"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | str:  # type: ignore[override]
        """Return milliseconds, or the word."""
        return str(value) if value in {OFF, ON_TRANSACTION} else super().convert(value, param, ctx)


@command("block-interval", *CHOOSE)
@click.argument("interval", type=_Interval(), required=False, metavar="[TIME|off|on-transaction]")
@click.option("--poisson", is_flag=True, help="Let TIME be the mean of random times, as on the real chain.")
@click.option("--seed", type=int, metavar="NUMBER", help="Make these random times the same every time.")
def block_interval(
    session: Session, flags: Flags, *, interval: int | str | None, poisson: bool, seed: int | None
) -> None:
    """Say how often blocks are made by themselves, or how they are made now.

    For example: cartridge block-interval 10s

    `on-transaction` makes one as soon as something waits in the mempool. It lasts as long as the stack is up; what is
    to last longer is written into the stack: `block_interval: 10 s` under `network`.
    """
    if (poisson or seed is not None) and not isinstance(interval, int):
        raise click.UsageError("`--poisson` and `--seed` go with a time")
    words = {OFF: "on-demand", ON_TRANSACTION: "on-transaction"}
    time = interval if isinstance(interval, int) else None
    mining = words.get(str(interval)) if time is None else "poisson" if poisson else "interval"
    with session.context("block-interval", flags) as context:
        result = session.verbs.block_interval(context, mining=mining, interval=time, seed=seed)
    session.answer("block-interval", result, lambda _: text(result))


def text(result: MiningResult) -> str:
    """Return how blocks are made, and how many were."""
    from cartridge.model.units import format_duration

    every = format_duration(result.interval)
    how = {
        "interval": f"a block is made every {every}",
        "poisson": f"a block is made every {every} on average; the seed is {result.seed}",
        "on-transaction": "a block is made when a transaction waits",
    }.get(result.mining, "blocks are made only when asked for")
    failed = f"the last one could not be made: {result.failure}\n" if result.failure else ""
    return f"{how}; {count(result.mined, 'block')} so far\n{failed}"


COMMAND = block_interval
