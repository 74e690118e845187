"""`cartridge pay`."""

from __future__ import annotations

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, WAIT_TIMEOUT
from cartridge.surfaces.cli.quantities import amount_of, amount_text
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import count
from cartridge.surfaces.cli.suggestions import suggest


@command("pay", *CHOOSE, WAIT_TIMEOUT)
@click.argument("payer", shell_complete=suggest("node"))
@click.argument("payee", shell_complete=suggest("node"))
@click.argument("amount", nargs=-1, required=True, metavar="AMOUNT")
def pay(session: Session, flags: Flags, *, payer: str, payee: str, amount: tuple[str, ...]) -> None:
    """Pay from one node to another over Lightning.

    For example: cartridge pay alice bob 1000 sat
    """
    asked = amount_of(amount)
    with session.context("pay", flags) as context:
        result = session.verbs.pay(context, payer=payer, payee=payee, amount=asked)
    session.answer(
        "pay",
        result,
        lambda _: (
            f"{result.payer} paid {result.payee} {amount_text(result.amount)} over {count(result.hops, 'hop')} in"
            f" {result.seconds * 1000:.0f} ms; fee {amount_text(result.fee)}\npayment {result.payment_hash}\n"
        ),
    )


COMMAND = pay
