"""`cartridge fee`."""

from __future__ import annotations

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE
from cartridge.surfaces.cli.session import Session


@command("fee", *CHOOSE)
@click.argument("rate", type=click.IntRange(min=1, max=10_000))
def fee(session: Session, flags: Flags, *, rate: int) -> None:
    """Have nodes believe that fees are RATE satoshis per virtual byte.

    For example: cartridge fee 50

    What they build from then on pays that: channels, their commitments, closings. The stack needs the cartridge
    `chain-keeper`, and `bindings: {fee_source: keeper}` for `lightning`. It lasts as long as the stack is up.
    """
    with session.context("fee", flags) as context:
        result = session.verbs.fee(context, rate=rate)
    session.answer("fee", result, lambda _: f"nodes are told that fees are {result.fee_rate} sat/vB\n")


COMMAND = fee
