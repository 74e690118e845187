"""`cartridge fund`."""

from __future__ import annotations

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, WAIT_TIMEOUT
from cartridge.surfaces.cli.quantities import amount_of, amount_text
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.suggestions import suggest


@command("fund", *CHOOSE, WAIT_TIMEOUT)
@click.argument("node", shell_complete=suggest("node"))
@click.argument("amount", nargs=-1, required=True, metavar="AMOUNT")
def fund(session: Session, flags: Flags, *, node: str, amount: tuple[str, ...]) -> None:
    """Give a node on-chain money, confirmed.

    For example: cartridge fund alice 1 btc
    """
    asked = amount_of(amount)
    with session.context("fund", flags) as context:
        result = session.verbs.fund(context, node=node, amount=asked)
    session.answer(
        "fund",
        result,
        lambda _: (
            f"{result.node} got {amount_text(result.amount)} at height {result.height} and has"
            f" {amount_text(result.balance)} on chain\ntransaction {result.txid}\n"
        ),
    )


COMMAND = fund
