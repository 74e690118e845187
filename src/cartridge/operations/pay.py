"""`pay`: a Lightning payment from one node of a stack, by invoice, without one, or held until somebody decides."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from msgspec import Struct

from cartridge.errors import InputError
from cartridge.operations.access import follow, grip
from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen
from cartridge.operations.results.networks import PayResult
from cartridge.probes.wait import until

if TYPE_CHECKING:
    from cartridge.lightning.nodes.node import Node, Payment

FEE_SHARE, LEAST_FEE = 20, 5_000
"""At most a twentieth of the amount goes to fees, or 5,000 millisatoshis where that is more."""
PARTS = 16
"""The most shards, where nothing else is asked for: as many as lnd's own command line allows."""
MOST_PARTS = 1_000
WITHIN = 30.0
"""Seconds to try."""


class Manner(Struct, frozen=True):
    """How a payment is made.

    Attributes:
        keysend: without an invoice.
        hold: the payee holds it for a while before it decides.
        cancel: what is held is sent back; settled otherwise.
        hold_for: milliseconds to hold.
        parts: the most shards; None for the usual number.
    """

    keysend: bool = False
    hold: bool = False
    cancel: bool = False
    hold_for: int = 0
    parts: int | None = None


def pay(context: Context, *, payer: str, payee: str, amount: int | None, manner: Manner) -> PayResult:
    """Have `payer` pay `amount` millisatoshis to the node `payee`, or an invoice where `payee` is the text of one.

    Raises:
        InputError: `amount-wrong`, `payment-to-self` or `payment-manner`.
        MissingError: no such stack or node.
        PaymentError: `payment-failed`, with the node's reason.
        ApplyError: `not-supported`, the implementation has no such payments.
    """
    _refuse_contradictions(manner)
    state = chosen(context)
    if is_invoice(payee):
        if amount is not None or manner.keysend or manner.hold:
            raise InputError(
                "an invoice says itself what is paid, and how",
                code="payment-manner",
                resolution=f"leave the amount, `--keysend` and `--hold` away: `cartridge pay {payer} INVOICE`",
            )
        return _pay_text(context, grip.node(context, state, payer), payee, follow.names(context, state), manner)
    if amount is None or amount <= 0:
        raise InputError("nothing cannot be paid", code="amount-wrong", resolution="write an amount such as `1000 sat`")
    if payer == payee:
        raise InputError(
            f"`{payer}` cannot pay itself", code="payment-to-self", resolution="name two nodes of the network"
        )
    sender, receiver = grip.node(context, state, payer), grip.node(context, state, payee)
    with context.recorder.step("pay", f"{payer}: paying {payee}"):
        began = context.clock.monotonic()
        paid, kind = _paid(context, sender, receiver, amount, manner)
        seconds = round(context.clock.monotonic() - began, 3)
    return _result(payer, payee, paid, seconds, kind)


def is_invoice(text: str) -> bool:
    """Return whether this is a BOLT 11 invoice and no name; its prefix says on which chain."""
    return text.lower().startswith("ln") and len(text) > 90


def limit(amount: int) -> int:
    """Return the most that may go to fees, in millisatoshis."""
    return max(amount // FEE_SHARE, LEAST_FEE)


def _paid(context: Context, sender: Node, receiver: Node, amount: int, manner: Manner) -> tuple[Payment, str]:
    if manner.hold:
        return _held(context, sender, receiver, amount, manner), "canceled" if manner.cancel else "hold"
    if manner.keysend:
        return sender.keysend(receiver.info().pubkey, amount, fee_limit=limit(amount), within=WITHIN), "keysend"
    invoice = receiver.invoice(amount)
    parts = manner.parts or PARTS
    return sender.pay(invoice.request, fee_limit=limit(amount), within=WITHIN, parts=parts), "invoice"


def _pay_text(context: Context, sender: Node, request: str, names: dict[str, str], manner: Manner) -> PayResult:
    asked = sender.decode(request)
    if asked.amount <= 0:
        raise InputError(
            "this invoice names no amount",
            code="amount-wrong",
            resolution="ask for one with an amount: `cartridge invoice NODE AMOUNT`",
        )
    payee = names.get(asked.payee, asked.payee)
    with context.recorder.step("pay", f"{sender.name}: paying {payee[:20]}"):
        began = context.clock.monotonic()
        paid = sender.pay(request, fee_limit=limit(asked.amount), within=WITHIN, parts=manner.parts or PARTS)
        seconds = round(context.clock.monotonic() - began, 3)
    return _result(sender.name, payee, paid, seconds, "invoice")


def _held(context: Context, sender: Node, receiver: Node, amount: int, manner: Manner) -> Payment:
    """Pay a hold invoice, wait until it is accepted, hold it, then settle or cancel it; nothing is left held."""
    from cartridge.lightning.nodes.node import InvoiceState, Payment, PaymentError
    from cartridge.lightning.nodes.preimage import fresh

    secret = fresh()
    invoice = receiver.hold_invoice(amount, secret.payment_hash)
    within = WITHIN + manner.hold_for / 1000
    with ThreadPoolExecutor(1) as pool:
        paying: Future[Payment] = pool.submit(
            sender.pay, invoice.request, fee_limit=limit(amount), within=within, parts=manner.parts or PARTS
        )
        try:
            until(
                lambda: paying.done() or receiver.invoice_state(secret.payment_hash) is InvoiceState.ACCEPTED,
                f"`{receiver.name}` to be offered the payment",
                follow.patience(context, WITHIN),
            )
            if not paying.done():
                context.recorder.progress("pay", note=f"held by {receiver.name}")
                context.clock.wait(manner.hold_for / 1000, context.cancelled)
                context.go_on()
                if not manner.cancel:
                    receiver.settle(secret.preimage)
                    return paying.result()
        except BaseException:
            receiver.cancel(secret.payment_hash)  # whoever was interrupted leaves no money on its way
            raise
        if not paying.done():
            receiver.cancel(secret.payment_hash)
            if isinstance(failed := paying.exception(), PaymentError):
                return Payment(secret.payment_hash, amount, 0, 0, 0)
            raise failed or AssertionError("a canceled payment was settled")
        return paying.result()


def _result(payer: str, payee: str, paid: Payment, seconds: float, kind: str) -> PayResult:
    state = "canceled" if kind == "canceled" else "settled"
    return PayResult(
        payer=payer,
        payee=payee,
        amount=paid.amount,
        fee=paid.fee,
        payment_hash=paid.payment_hash,
        hops=paid.hops,
        seconds=seconds,
        parts=paid.parts,
        kind="hold" if kind == "canceled" else kind,
        state=state,
    )


def _refuse_contradictions(manner: Manner) -> None:
    wrong = ""
    if manner.keysend and manner.hold:
        wrong = "a payment is without an invoice or held by one, not both"
    elif manner.keysend and (manner.parts or 1) > 1:
        wrong = "a payment without an invoice goes in one part"
    elif (manner.cancel or manner.hold_for) and not manner.hold:
        wrong = "only a held payment can be sent back or wait"
    elif manner.parts is not None and not 1 <= manner.parts <= MOST_PARTS:
        wrong = f"a payment cannot have {manner.parts} parts"
    if wrong:
        raise InputError(
            wrong,
            code="payment-manner",
            resolution=f"choose one of `--keysend` and `--hold`; `--parts` is 1 to {MOST_PARTS:,}",
        )
