"""Core Lightning's payments: invoices, and payments over routes that are asked for and then sent part by part.

So the first channel can be chosen and the hops are known, which its own `pay` does not tell. Where the graph has no
way to the payee, as behind a private channel, its `xpay` finds one with the invoice's hints.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct, field

from cartridge.lightning.nodes import cln_wire as wire
from cartridge.lightning.nodes.cln_calls import ClnCalls
from cartridge.lightning.nodes.node import Decoded, Invoice, InvoiceState, Payment, PaymentError, not_supported
from cartridge.lightning.nodes.scids import number_of
from cartridge.probes.cln import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

FINAL_CLTV_DELTA = 80
"""Blocks the last hop of a payment without an invoice gets."""
_AUTOMATIC = ("auto.localchans", "auto.sourcefree")
_STATES = {"unpaid": InvoiceState.OPEN, "paid": InvoiceState.SETTLED, "expired": InvoiceState.CANCELED}
_ALONG_THE_WAY = 204
_UNCLAIMABLE = "WIRE_INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS"
_ATTEMPTS = 5
"""Channels that may fail on the way before a payment is given up."""


class _Order(Struct, frozen=True):
    """One payment to make; amounts in millisatoshis. Without an invoice it is one that nobody can claim."""

    payee: str
    amount: int
    fee_limit: int
    within: float
    through: int | None = None
    parts: int = 1
    final_cltv: int = FINAL_CLTV_DELTA
    payment_hash: str = field(default_factory=lambda: secrets.token_hex(32))
    secret: str = field(default_factory=lambda: secrets.token_hex(32))
    invoice: str | None = None

    @property
    def seconds(self) -> int:
        """How long it may take, as Core Lightning wants to hear it."""
        return max(1, round(self.within))


class ClnPayments(ClnCalls):
    """What of a `Node` has to do with payments."""

    def invoice(self, amount: int, memo: str = "") -> Invoice:
        """Return an invoice over `amount` millisatoshis."""
        answer = self._call("invoice", amount_msat=amount, label=secrets.token_hex(16), description=memo)
        made = wire.Made.model_validate(answer)
        return Invoice(made.bolt11, made.payment_hash)

    def hold_invoice(self, amount: int, payment_hash: str, memo: str = "") -> Invoice:
        """Refuse: it has no invoices whose payment is held."""
        raise not_supported(self.name, "Core Lightning", "hold invoices")

    def settle(self, preimage: str) -> None:
        """Refuse, as `hold_invoice` does."""
        raise not_supported(self.name, "Core Lightning", "hold invoices")

    def cancel(self, payment_hash: str) -> None:
        """Refuse, as `hold_invoice` does."""
        raise not_supported(self.name, "Core Lightning", "hold invoices")

    def invoice_state(self, payment_hash: str) -> InvoiceState:
        """Return how far an invoice of its own has come."""
        found = wire.Invoices.model_validate(self._call("listinvoices", payment_hash=payment_hash)).invoices
        if not found:
            raise RefusedError(f"`{self.name}` made no invoice with hash `{payment_hash}`", code="cln-refused")
        return _STATES[found[0].status]

    def decode(self, request: str) -> Decoded:
        """Return what an invoice asks for."""
        answer = self._decoded(request)
        return Decoded(answer.payee, answer.amount_msat, answer.payment_hash)

    def steers(self, through: int) -> bool:
        """Return True: every other channel is left out of the search."""
        del through
        return True

    def pay(
        self, request: str, *, fee_limit: int, within: float = 30.0, through: int | None = None, parts: int = 1
    ) -> Payment:
        """Pay an invoice and return when it is settled."""
        asked = self._decoded(request)
        return self._pay(
            _Order(
                payee=asked.payee,
                amount=asked.amount_msat,
                payment_hash=asked.payment_hash,
                secret=asked.payment_secret,
                final_cltv=asked.min_final_cltv_expiry,
                fee_limit=fee_limit,
                within=within,
                through=through,
                parts=parts,
                invoice=request,
            )
        )

    def keysend(self, pubkey: str, amount: int, *, fee_limit: int, within: float = 30.0) -> Payment:
        """Pay `amount` millisatoshis to a node that made no invoice; its hops are those of the way it would take."""
        order = _Order(pubkey, amount, fee_limit=fee_limit, within=within)
        try:
            hops = len(self._routes(order, ())[0].path)
            answer = self._call(
                "xkeysend", destination=pubkey, amount_msat=amount, maxfee=fee_limit, retry_for=order.seconds
            )
        except RefusedError as error:
            raise self._failed(error.brief) from error
        paid = wire.Xpaid.model_validate(answer)
        payment_hash = hashlib.sha256(bytes.fromhex(paid.payment_preimage)).hexdigest()
        fee = paid.amount_sent_msat - paid.amount_msat
        return Payment(payment_hash, paid.amount_msat, fee, hops, paid.successful_parts)

    def test_route(self, destination: str, amount: int, *, through: int, within: float = 30.0) -> None:
        """Send a payment nobody can claim, and see it come back from its destination: no balance changes."""
        order = _Order(destination, amount, fee_limit=0, within=within, through=through)
        routes: list[wire.Route] = []
        try:
            routes = self._routes(order, ())
            self._send(order, routes)
        except RefusedError as error:
            failure = wire.Failure.model_validate(error.data or {})
            if failure.failcodename != _UNCLAIMABLE or failure.erring_index != sum(len(one.path) for one in routes):
                raise self._failed(failure.failcodename or error.brief) from error

    def _decoded(self, request: str) -> wire.Decoded:
        return wire.Decoded.model_validate(self._call("decode", string=request))

    def _pay(self, order: _Order) -> Payment:
        bad: list[str] = []
        while True:
            try:
                routes = self._routes(order, bad)
            except RefusedError as error:
                if order.through is None and "unknown" in error.brief.lower():
                    return self._pay_by_hints(order)
                raise self._failed(error.brief) from error
            try:
                return self._send(order, routes)
            except RefusedError as error:
                failure = wire.Failure.model_validate(error.data or {})
                if error.number != _ALONG_THE_WAY or not failure.erring_channel or len(bad) == _ATTEMPTS:
                    raise self._failed(failure.failcodename or error.brief) from error
                bad.append(f"{failure.erring_channel}/{failure.erring_direction}")

    def _pay_by_hints(self, order: _Order) -> Payment:
        """Let Core Lightning find the way; it does not tell which, so `hops` is the two there must be at least."""
        try:
            answer = self._call("xpay", invstring=order.invoice, maxfee=order.fee_limit, retry_for=order.seconds)
        except RefusedError as error:
            raise self._failed(error.brief) from error
        paid = wire.Xpaid.model_validate(answer)
        fee = paid.amount_sent_msat - paid.amount_msat
        return Payment(order.payment_hash, paid.amount_msat, fee, 2, paid.successful_parts)

    @contextmanager
    def _layer(self, through: int | None, bad: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Give the layers of a search in which only the channel `through` leads away, and none that has failed."""
        others = []
        for one in self._channels():
            if through is not None and one.short_channel_id and number_of(one.short_channel_id) != through:
                others += [f"{one.short_channel_id}/{direction}" for direction in (0, 1)]
        name = f"cartridge-{secrets.token_hex(8)}"
        self._call("askrene-create-layer", layer=name)
        try:
            for channel in (*others, *bad):
                self._call("askrene-update-channel", layer=name, short_channel_id_dir=channel, enabled=False)
            yield (*_AUTOMATIC, name)
        finally:
            self._call("askrene-remove-layer", layer=name)

    def _routes(self, order: _Order, bad: Sequence[str]) -> list[wire.Route]:
        with self._layer(order.through, bad) as layers:
            answer = self._call(
                "getroutes",
                source=wire.GetInfo.model_validate(self._call("getinfo")).id,
                destination=order.payee,
                amount_msat=order.amount,
                layers=list(layers),
                maxfee_msat=order.fee_limit,
                final_cltv=order.final_cltv,
                maxparts=order.parts,
            )
        return wire.Routes.model_validate(answer).routes

    def _send(self, order: _Order, routes: list[wire.Route]) -> Payment:
        group = secrets.randbits(32)
        numbers = [0] if len(routes) == 1 else list(range(1, len(routes) + 1))
        for number, route in zip(numbers, routes, strict=True):
            self._call(
                "sendpay",
                route=_path(route),
                payment_hash=order.payment_hash,
                payment_secret=order.secret,
                amount_msat=order.amount,
                bolt11=order.invoice,
                partid=number,
                groupid=group,
            )
        failures: list[RefusedError] = []
        for number in numbers:  # all of them: a part that is still under way may yet be taken
            try:
                self._call(
                    "waitsendpay",
                    payment_hash=order.payment_hash,
                    timeout=order.seconds,
                    partid=number,
                    groupid=group,
                )
            except RefusedError as error:
                failures.append(error)
        if failures:
            raise failures[0]
        sent = sum(route.path[0].amount_in_msat for route in routes)
        hops = max(len(route.path) for route in routes)
        return Payment(order.payment_hash, order.amount, sent - order.amount, hops, len(routes))

    def _failed(self, reason: str) -> PaymentError:
        plain = reason.removeprefix("WIRE_").lower().replace("_", " ")
        return PaymentError(
            f"a payment from `{self.name}` failed: {plain}",
            code="payment-failed",
            reason=reason,
            reached=reason == _UNCLAIMABLE,
            resolution="see that the channels on the way are active and hold enough, with `cartridge exec`",
        )


def _path(route: wire.Route) -> list[dict[str, object]]:
    """Return a route as `sendpay` takes it: each hop with what its channel carries, not what its source gets."""
    after = [*((hop.amount_in_msat, hop.cltv_in) for hop in route.path[1:]), (route.amount_msat, route.final_cltv)]
    return [
        {
            "id": hop.node_id_out,
            "channel": hop.short_channel_id_dir.partition("/")[0],
            "amount_msat": amount,
            "delay": delay,
        }
        for hop, (amount, delay) in zip(route.path, after, strict=True)
    ]
