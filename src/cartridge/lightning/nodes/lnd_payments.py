"""lnd's payments, over its REST protocol: invoices, hold invoices, payments of every kind. The base of `lnd.Lnd`."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping

from cartridge.lightning.nodes import lnd_wire as wire
from cartridge.lightning.nodes.lnd_calls import LndCalls
from cartridge.lightning.nodes.node import Decoded, Invoice, InvoiceState, Payment, PaymentError
from cartridge.lightning.nodes.scids import short_id
from cartridge.probes.lnd import RefusedError

FINAL_CLTV_DELTA = 80
"""Blocks the last hop of a payment gets, as lnd's own invoices ask."""
REFUSED = "FAILURE_REASON_INCORRECT_PAYMENT_DETAILS"
"""Why a payment failed that its destination did not want."""
FEATURES = (9, 15)
"""What every payee has: onions of this kind, and a secret in its invoices. LDK takes no payment without one."""
NO_ATTEMPT = "it made no attempt: it knows no way of channels that hold enough"
KEYSEND = "5482373484"
"""The custom record that carries the preimage of a payment without an invoice."""


class LndPayments(LndCalls):
    """What of a `Node` has to do with payments."""

    def invoice(self, amount: int, memo: str = "") -> Invoice:
        """Return an invoice over `amount` millisatoshis."""
        answer = wire.read(
            self._post("/v1/invoices", {"value_msat": str(amount), "memo": memo, "private": True}),
            wire.AddedInvoice,
        )
        return Invoice(answer.payment_request, base64.b64decode(answer.r_hash).hex())

    def hold_invoice(self, amount: int, payment_hash: str, memo: str = "") -> Invoice:
        """Return an invoice whose payment is held until `settle` or `cancel`; its preimage is the caller's secret."""
        answer = wire.read(
            self._post(
                "/v2/invoices/hodl",
                {"hash": _base64(payment_hash), "value_msat": str(amount), "memo": memo, "private": True},
            ),
            wire.HoldInvoice,
        )
        return Invoice(answer.payment_request, payment_hash)

    def invoice_state(self, payment_hash: str) -> InvoiceState:
        """Return how far an invoice of its own has come."""
        answer = wire.read(self._get(f"/v1/invoice/{payment_hash}"), wire.InvoiceLook)
        return InvoiceState(answer.state.lower())

    def settle(self, preimage: str) -> None:
        """Take the payment that is held for the hold invoice of this preimage (hex); NotYetError where none is."""
        self._post("/v2/invoices/settle", {"preimage": _base64(preimage)})

    def cancel(self, payment_hash: str) -> None:
        """Send back what is held for a hold invoice, which nobody can pay from then on."""
        self._post("/v2/invoices/cancel", {"payment_hash": _base64(payment_hash)})

    def decode(self, request: str) -> Decoded:
        """Return what an invoice asks for."""
        answer = wire.read(self._get(f"/v1/payreq/{request}"), wire.PayReq)
        return Decoded(answer.destination, answer.num_msat, answer.payment_hash)

    def steers(self, through: int) -> bool:
        """Return True: lnd takes the channel it is told."""
        del through
        return True

    def pay(
        self, request: str, *, fee_limit: int, within: float = 30.0, through: int | None = None, parts: int = 1
    ) -> Payment:
        """Pay an invoice and return when it is settled."""
        order = {"payment_request": request, "fee_limit_msat": str(fee_limit), "max_parts": parts}
        return self._paid(self._send(order, within, through))

    def keysend(self, pubkey: str, amount: int, *, fee_limit: int, within: float = 30.0) -> Payment:
        """Pay `amount` millisatoshis to a node that made no invoice; arguments and errors as for `pay`."""
        preimage = secrets.token_bytes(32)
        order = {
            "dest": _base64(pubkey),
            "amt_msat": str(amount),
            "payment_hash": _base64(hashlib.sha256(preimage).hexdigest()),
            "final_cltv_delta": FINAL_CLTV_DELTA,
            "fee_limit_msat": str(fee_limit),
            "max_parts": 1,
            "dest_custom_records": {KEYSEND: _base64(preimage.hex())},
        }
        return self._paid(self._send(order, within, None))

    def test_route(self, destination: str, amount: int, *, through: int, within: float = 30.0) -> None:
        """Send a payment nobody can claim, and see it come back from its destination: no balance changes."""
        order: Mapping[str, object] = {
            "dest": _base64(destination),
            "amt_msat": str(amount),
            "payment_hash": _base64(secrets.token_hex(32)),
            "final_cltv_delta": FINAL_CLTV_DELTA,
            "payment_addr": base64.b64encode(secrets.token_bytes(32)).decode(),
            "dest_features": list(FEATURES),
            "fee_limit_msat": "0",
        }
        payment = self._send(order, within, through)
        if payment.failure_reason != REFUSED:
            raise self._failed(payment)

    def _send(self, order: Mapping[str, object], within: float, through: int | None) -> wire.SentPayment:
        limits: dict[str, object] = {"timeout_seconds": max(1, round(within)), "no_inflight_updates": True}
        if through is not None:
            limits["outgoing_chan_ids"] = [str(through)]
        try:
            return wire.read(self._rest.last("/v2/router/send", {**order, **limits}), wire.SentPayment)
        except RefusedError as error:
            raise self._translated(error) from error

    def _paid(self, payment: wire.SentPayment) -> Payment:
        if payment.status != "SUCCEEDED":
            raise self._failed(payment)
        hops = [len(attempt.route.hops) for attempt in payment.htlcs if attempt.status == "SUCCEEDED"]
        return Payment(payment.payment_hash, payment.value_msat, payment.fee_msat, max(hops, default=0), len(hops))

    def _failed(self, payment: wire.SentPayment) -> PaymentError:
        reason = payment.failure_reason or payment.status
        plain = _plain(reason.removeprefix("FAILURE_REASON_"))
        return PaymentError(
            f"a payment from `{self.name}` failed: {plain}",
            code="payment-failed",
            reason=reason,
            reached=reason == REFUSED,
            details=tuple(_came_back(one) for one in payment.htlcs if one.failure) or (NO_ATTEMPT,),
            resolution="see that the channels on the way are active and hold enough, with `cartridge channel ls`",
        )


def _came_back(attempt: wire.Attempt) -> str:
    """Return how far an attempt came: the node that sent it back, and the channel it was to leave by."""
    hops, failure = attempt.route.hops, attempt.failure
    if failure is None or not 0 <= failure.failure_source_index <= len(hops):
        return f"an attempt over {len(hops)} hops came back without a reason"
    at = failure.failure_source_index
    where = f"from {f'`{hops[at - 1].pub_key[:12]}…`' if at else 'the payer itself'}"
    onward = (
        f", which was to pass it on by channel {short_id(hops[at].chan_id)}" if at < len(hops) else ", its destination"
    )
    return f"an attempt over {len(hops)} hops came back {where}{onward}: {_plain(failure.code)}"


def _plain(word: str) -> str:
    return word.lower().replace("_", " ")


def _base64(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()
