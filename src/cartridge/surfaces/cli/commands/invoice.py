"""`cartridge invoice`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE
from cartridge.surfaces.cli.quantities import amount_of, amount_text
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.suggestions import suggest

if TYPE_CHECKING:
    from cartridge.operations.results.networks import InvoiceResult


@command("invoice", *CHOOSE)
@click.argument("node", shell_complete=suggest("node"))
@click.argument("amount", nargs=-1, metavar="[AMOUNT]")
@click.option("--memo", default="", metavar="TEXT", help="What it is for; the payer reads it.")
@click.option("--hold", is_flag=True, help="Hold the payment until it is settled or canceled.")
@click.option("--settle", metavar="HASH", help="Take what is held for a hold invoice, by its payment hash.")
@click.option("--cancel", metavar="HASH", help="Send back what is held for one.")
def invoice(
    session: Session,
    flags: Flags,
    *,
    node: str,
    amount: tuple[str, ...],
    settle: str | None,
    cancel: str | None,
    **asked: object,
) -> None:
    """Have a node ask for a payment, and print the invoice.

    For example: cartridge invoice bob 1000 sat

    One made with `--hold` is paid only once it is settled: cartridge invoice bob --settle HASH
    """
    payment_hash = settle or cancel
    if bool(amount) + bool(settle) + bool(cancel) != 1:
        raise click.UsageError("give an amount, or `--settle HASH`, or `--cancel HASH`")
    with session.context("invoice", flags) as context:
        if payment_hash:
            result = session.verbs.decide(context, node=node, payment_hash=payment_hash, settle=bool(settle))
        else:
            memo, hold = str(asked["memo"]), bool(asked["hold"])
            result = session.verbs.invoice(context, node=node, amount=amount_of(amount), memo=memo, hold=hold)
    session.answer("invoice", result, lambda _: text(result))


def text(result: InvoiceResult) -> str:
    """Return the invoice alone, so that it can be piped; for a hold invoice its hash too."""
    if not result.request:
        return f"the payment {result.payment_hash} to {result.node} is {result.state}\n"
    if not result.hold:
        return f"{result.request}\n"
    return (
        f"{result.request}\npayment {result.payment_hash}\n"
        f"{result.node} will hold {amount_text(result.amount)} until"
        f" `cartridge invoice {result.node} --settle HASH` or `--cancel HASH`\n"
    )


COMMAND = invoice
