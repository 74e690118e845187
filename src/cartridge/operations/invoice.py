"""`invoice`: a request to be paid, made by a node of a stack; a hold invoice is settled or canceled here, later.

The preimage of a hold invoice is kept in the stack's folder, mode 0600, until it is settled or canceled; it is in no
answer, journal or log.
"""

from __future__ import annotations

import os
import string
from pathlib import Path
from typing import TYPE_CHECKING

from cartridge.errors import InputError, MissingError
from cartridge.operations.access import grip
from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen
from cartridge.operations.results.networks import InvoiceResult

if TYPE_CHECKING:
    from cartridge.lightning.nodes.node import Node

FOLDER = "preimages"
_HASH = 64


def invoice(context: Context, *, node: str, amount: int, memo: str, hold: bool) -> InvoiceResult:
    """Have `node` make an invoice over `amount` millisatoshis.

    Raises:
        InputError: `amount-wrong`.
        MissingError: no such stack or node.
        ApplyError: `not-supported`, the implementation has no hold invoices.
    """
    if amount <= 0:
        raise InputError(
            "an invoice over nothing cannot be paid by amount",
            code="amount-wrong",
            resolution="write an amount such as `1000 sat`",
        )
    from cartridge.lightning.nodes.preimage import fresh

    state = chosen(context)
    payee = grip.node(context, state, node)
    with context.recorder.step("invoice", f"{node}: making an invoice"):
        if not hold:
            made = payee.invoice(amount, memo)
        else:
            secret = fresh()
            _keep(context.folder(state.stack), secret.payment_hash, secret.preimage)
            made = payee.hold_invoice(amount, secret.payment_hash, memo)
    return InvoiceResult(node, amount, made.request, made.payment_hash, "open", memo, hold)


def decide(context: Context, *, node: str, payment_hash: str, settle: bool) -> InvoiceResult:
    """Take what is held for the hold invoice of this hash (hex), or send it back, and return how far it is then.

    Raises:
        InputError: `payment-hash-wrong`.
        MissingError: no such stack or node; `preimage-missing`, the invoice was not made here or is decided.
        NotYetError: nobody has paid it yet.
    """
    wanted = payment_hash.lower()
    if len(wanted) != _HASH or set(wanted) - set(string.hexdigits):
        raise InputError(
            f"`{payment_hash[:80]}` is no payment hash",
            code="payment-hash-wrong",
            resolution=f"write the {_HASH} hex digits that `cartridge invoice --hold` printed",
        )
    state = chosen(context)
    payee, place = grip.node(context, state, node), context.folder(state.stack) / FOLDER / wanted
    with context.recorder.step("invoice", f"{node}: {'settling' if settle else 'canceling'} a held payment"):
        if settle:
            payee.settle(_kept(place))
        else:
            payee.cancel(wanted)
        place.unlink(missing_ok=True)
    return _look(payee, node, wanted)


def _look(payee: Node, node: str, payment_hash: str) -> InvoiceResult:
    return InvoiceResult(node, 0, "", payment_hash, payee.invoice_state(payment_hash).value, hold=True)


def _keep(folder: Path, payment_hash: str, preimage: str) -> None:
    (folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
    opened = os.open(folder / FOLDER / payment_hash, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", encoding="ascii") as file:
        file.write(preimage)


def _kept(place: Path) -> str:
    try:
        return place.read_text(encoding="ascii")
    except FileNotFoundError as error:
        raise MissingError(
            "nothing is known here of a hold invoice with this hash",
            code="preimage-missing",
            resolution="settle what `cartridge invoice --hold` made in this project and was not decided yet",
        ) from error
