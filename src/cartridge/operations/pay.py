"""`pay`: a Lightning payment from one node of a stack to another."""

from __future__ import annotations

from cartridge.errors import InputError
from cartridge.operations import grip
from cartridge.operations.context import Context
from cartridge.operations.reports import PayResult
from cartridge.operations.selection import chosen

FEE_SHARE, LEAST_FEE = 20, 5_000
"""At most a twentieth of the amount goes to fees, or 5,000 millisatoshis where that is more."""


def pay(context: Context, *, payer: str, payee: str, amount: int) -> PayResult:
    """Have `payee` make an invoice over `amount` millisatoshis and `payer` pay it.

    Raises:
        InputError: `amount-wrong` or `payment-to-self`.
        MissingError: no such stack or node.
        PaymentError: `payment-failed`, with the node's reason.
    """
    if amount <= 0:
        raise InputError("nothing cannot be paid", code="amount-wrong", resolution="write an amount such as `1000 sat`")
    if payer == payee:
        raise InputError(
            f"`{payer}` cannot pay itself", code="payment-to-self", resolution="name two nodes of the network"
        )
    state = chosen(context)
    sender, receiver = grip.node(context, state, payer), grip.node(context, state, payee)
    with context.recorder.step("pay", f"{payer}: paying {payee}"):
        began = context.clock.monotonic()
        invoice = receiver.invoice(amount)
        paid = sender.pay(invoice.request, fee_limit=max(amount // FEE_SHARE, LEAST_FEE))
        seconds = round(context.clock.monotonic() - began, 3)
    return PayResult(payer, payee, paid.amount, paid.fee, paid.payment_hash, paid.hops, seconds)
