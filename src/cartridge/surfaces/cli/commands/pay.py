"""`cartridge pay`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE, WAIT_TIMEOUT, DurationFlag
from cartridge.surfaces.cli.quantities import amount_of, amount_text
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import count
from cartridge.surfaces.cli.suggestions import suggest

if TYPE_CHECKING:
    from cartridge.operations.results.networks import PayResult


@command("pay", *CHOOSE, WAIT_TIMEOUT)
@click.argument("payer", shell_complete=suggest("node"))
@click.argument("payee", metavar="PAYEE|INVOICE", shell_complete=suggest("node"))
@click.argument("amount", nargs=-1, metavar="[AMOUNT]")
@click.option("--keysend", is_flag=True, help="Pay without an invoice.")
@click.option("--hold", is_flag=True, help="Let the payee hold the payment, then settle it.")
@click.option("--settle/--cancel", default=True, help="What becomes of a held payment.  [default: settle]")
@click.option("--hold-for", type=DurationFlag(), default="0 s", metavar="TIME", help="How long it is held.")
@click.option("--parts", type=click.IntRange(min=1), metavar="N", help="Split it into N parts at most.  [default: 16]")
def pay(
    session: Session,
    flags: Flags,
    *,
    payer: str,
    payee: str,
    amount: tuple[str, ...],
    settle: bool,
    **manner: Any,
) -> None:
    """Pay from one node to another over Lightning, or pay the text of an invoice.

    For example: cartridge pay alice bob 1000 sat

    What is larger than any one channel goes over several. A held payment stays on its way until it is settled, which
    happens at once unless `--hold-for` says how long to wait.
    """
    from cartridge.operations.pay import Manner, is_invoice

    if not amount and not is_invoice(payee):
        raise click.MissingParameter(param_type="argument", param_hint="`AMOUNT`")
    asked = amount_of(amount) if amount else None
    how = Manner(cancel=not settle, **manner)
    with session.context("pay", flags) as context:
        result = session.verbs.pay(context, payer=payer, payee=payee, amount=asked, manner=how)
    session.answer("pay", result, lambda _: text(result))


def text(result: PayResult) -> str:
    """Return what was paid, in a sentence, and the payment's hash."""
    milliseconds = f"{result.seconds * 1000:.0f} ms"
    payee = result.payee if len(result.payee) < 60 else f"{result.payee[:16]}…"
    if result.state == "canceled":
        said = f"{payee} held {amount_text(result.amount)} of {result.payer} and sent it back after {milliseconds}"
    else:
        parts = f" in {count(result.parts, 'part')}" if result.parts > 1 else ""
        how = {"keysend": ", without an invoice", "hold": ", held and then settled"}.get(result.kind, "")
        way = "" if result.hops is None else f" over {count(result.hops, 'hop')}"
        said = (
            f"{result.payer} paid {payee} {amount_text(result.amount)}{way}{parts}{how} in"
            f" {milliseconds}; fee {amount_text(result.fee)}"
        )
    return f"{said}\npayment {result.payment_hash}\n"


COMMAND = pay
