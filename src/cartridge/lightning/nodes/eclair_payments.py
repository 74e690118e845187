"""eclair's payments: those that must go one way are sent along a route that is asked for, the others as eclair likes.

What it does not offer is said, not imitated: it holds no payments, and sends none that nobody can claim.
"""

from __future__ import annotations

from cartridge.errors import UnknownVerdictError
from cartridge.lightning.nodes import eclair_wire as wire
from cartridge.lightning.nodes.eclair_calls import EclairCalls
from cartridge.lightning.nodes.node import Decoded, Invoice, InvoiceState, Payment, PaymentError, not_supported
from cartridge.lightning.nodes.scids import number_of
from cartridge.probes.eclair import NOT_FOUND, RefusedError
from cartridge.probes.wait import until

TITLE = "eclair"
_STATES = {"pending": InvoiceState.OPEN, "received": InvoiceState.SETTLED, "expired": InvoiceState.CANCELED}
_UNWANTED = ("incorrectorunknownpaymentdetails", "incorrect or unknown payment details", "unknown payment hash")
"""What failures say that come from the destination."""


class EclairPayments(EclairCalls):
    """What of a `Node` has to do with payments."""

    def invoice(self, amount: int, memo: str = "") -> Invoice:
        """Return an invoice over `amount` millisatoshis; it tells the payer of private channels."""
        private = [
            one.channel_id
            for one in self._channels()
            if one.data.commitments and not one.data.commitments.channel_params.channel_flags.announce_channel
        ]
        answer = self._ask("createinvoice", description=memo, amountMsat=amount, privateChannelIds=private or None)
        made = wire.Invoice.model_validate(answer)
        return Invoice(made.serialized, made.payment_hash)

    def hold_invoice(self, amount: int, payment_hash: str, memo: str = "") -> Invoice:
        """Refuse: it has no invoices whose payment is held."""
        raise not_supported(self.name, TITLE, "hold invoices")

    def settle(self, preimage: str) -> None:
        """Refuse, as `hold_invoice` does."""
        raise not_supported(self.name, TITLE, "hold invoices")

    def cancel(self, payment_hash: str) -> None:
        """Refuse, as `hold_invoice` does."""
        raise not_supported(self.name, TITLE, "hold invoices")

    def invoice_state(self, payment_hash: str) -> InvoiceState:
        """Return how far an invoice of its own has come."""
        try:
            answer = self._ask("getreceivedinfo", paymentHash=payment_hash)
        except RefusedError as error:
            if error.status != NOT_FOUND:
                raise
            brief = f"`{self.name}` made no invoice with hash `{payment_hash}`"
            raise RefusedError(brief, code="eclair-refused", status=NOT_FOUND) from error
        return _STATES[wire.Received.model_validate(answer).status.type]

    def decode(self, request: str) -> Decoded:
        """Return what an invoice asks for."""
        asked = wire.Invoice.model_validate(self._ask("parseinvoice", invoice=request))
        return Decoded(asked.node_id, asked.amount, asked.payment_hash)

    def steers(self, through: int) -> bool:
        """Return True: every other channel is left out of the search."""
        del through
        return True

    def pay(
        self, request: str, *, fee_limit: int, within: float = 30.0, through: int | None = None, parts: int = 1
    ) -> Payment:
        """Pay an invoice and return when it is settled; of several parts, eclair chooses how many (5 at most)."""
        asked = self.decode(request)
        if through is None and parts > 1:
            fees = {"maxFeeFlatSat": fee_limit // 1_000, "maxFeePct": 0}
            started = self._start("payinvoice", invoice=request, **fees)
            return self._end(asked, started, within)
        route = self._route(asked, fee_limit, through)
        started = self._start(
            "sendtoroute", invoice=request, amountMsat=asked.amount, shortChannelIds=route, maxFeeMsat=fee_limit
        )
        return self._end(asked, wire.SentToRoute.model_validate(started).parent_id, within)

    def keysend(self, pubkey: str, amount: int, *, fee_limit: int, within: float = 30.0) -> Payment:
        """Pay `amount` millisatoshis to a node that made no invoice; arguments and errors as for `pay`."""
        started = self._start(
            "sendtonode", nodeId=pubkey, amountMsat=amount, maxFeeFlatSat=fee_limit // 1_000, maxFeePct=0
        )
        return self._end(Decoded(pubkey, amount, ""), started, within)

    def test_route(self, destination: str, amount: int, *, through: int, within: float = 30.0) -> None:
        """Raise ApplyError (`not-supported`): every payment of eclair needs an invoice or can be claimed."""
        raise not_supported(self.name, TITLE, "payments that nobody can claim")

    def _start(self, command: str, **fields: object) -> object:
        try:
            return self._ask(command, **fields)
        except RefusedError as error:
            raise self._failed(error.brief) from error

    def _route(self, asked: Decoded, fee_limit: int, through: int | None) -> list[str]:
        """Return the short channel ids of a way to the payee, over the channel `through` where that is given."""
        answer = self._start(
            "findroutetonode",
            nodeId=asked.payee,
            amountMsat=asked.amount,
            maxFeeMsat=fee_limit,
            format="shortChannelId",
            ignoreShortChannelIds=self._others(through) or None,
        )
        return wire.Routes.model_validate(answer).routes[0].short_channel_ids

    def _others(self, through: int | None) -> list[str]:
        """Return the short ids of its channels but one; none where any will do."""
        fundings = [one.data.commitments.active[0] for one in self._channels() if one.data.commitments]
        own = [one.local_funding.short_channel_id for one in fundings if one.local_funding.short_channel_id]
        return [] if through is None else [scid for scid in own if number_of(scid) != through]

    def _end(self, asked: Decoded, payment: object, within: float) -> Payment:
        """Return what became of a payment, once eclair says that nothing of it is under way any more."""

        def ended() -> list[wire.Sent] | None:
            seen = wire.SENT.validate_python(self._ask("getsentinfo", id=payment))
            return seen if seen and all(one.status.type != "pending" for one in seen) else None

        try:
            every = until(ended, f"`{self.name}` to pay", self._patience(within))
        except UnknownVerdictError as error:
            if error.code != "wait-timeout":
                raise
            raise self._failed("it took too long") from error
        done = [one for one in every if one.status.type == "sent"]
        if sum(one.amount for one in done) < asked.amount:
            said = (failure.failure_message for one in every for failure in one.status.failures)
            raise self._failed(next((one for one in said if one), "no way was found"))
        return Payment(
            payment_hash=done[0].payment_hash,
            amount=asked.amount,
            fee=sum(one.status.fees_paid for one in done),
            hops=max(len(one.status.route) for one in done),
            parts=len(done),
        )

    def _failed(self, reason: str) -> PaymentError:
        return PaymentError(
            f"a payment from `{self.name}` failed: {reason}",
            code="payment-failed",
            reason=reason,
            reached=any(sign in reason.lower() for sign in _UNWANTED),
            resolution="see that the channels on the way are active and hold enough, with `cartridge channel ls`",
        )
