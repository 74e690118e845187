"""`cartridge fee`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE
from cartridge.surfaces.cli.session import Session

if TYPE_CHECKING:
    from cartridge.operations.results.networks import FeeResult


@command("fee", *CHOOSE)
@click.argument("rate", type=click.IntRange(min=1, max=10_000))
def fee(session: Session, flags: Flags, *, rate: int) -> None:
    """Have nodes believe that fees are RATE satoshis per virtual byte.

    For example: cartridge fee 50

    What they build from then on pays that: channels, their commitments, closings. The stack needs the cartridge
    `chain-keeper`, and `bindings: {fee_source: keeper}` for `lightning` and `lightning-ldk`. It lasts as long as the
    stack is up.
    """
    with session.context("fee", flags) as context:
        result = session.verbs.fee(context, rate=rate)
    session.answer("fee", result, lambda _: text(result))


def text(result: FeeResult) -> str:
    """Return who is told what, and who goes on as before."""
    be = "are" if len(result.told) > 1 else "is"
    said = f"{', '.join(result.told)} {be} told that fees are {result.fee_rate} sat/vB\n"
    if not result.untold:
        return said
    go_on = "do not ask the keeper, and go" if len(result.untold) > 1 else "does not ask the keeper, and goes"
    return f"{said}{', '.join(result.untold)} {go_on} on as before\n"


COMMAND = fee
