"""LDK as a `Node`, over the HTTP of our daemon `ldk-regtest`. Answers are parsed here, at the one edge.

What the library does not offer is said, not imitated: its wallet chooses coins itself, a payment cannot be led over
one of several channels with a peer, nothing can be sent that nobody can claim, and limits of a policy stay as they
were agreed on. Amounts as in `Node`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator

from msgspec import convert
from msgspec.structs import asdict

from cartridge.clock import SystemClock
from cartridge.errors import ApplyError, UnknownVerdictError
from cartridge.lightning.nodes import ldk_wire as wire
from cartridge.lightning.nodes.ending import Ending
from cartridge.lightning.nodes.node import (
    Decoded,
    Edge,
    Guest,
    Info,
    Invoice,
    InvoiceState,
    NodeChannel,
    NotYetError,
    Opening,
    Payment,
    PaymentError,
    Policy,
    WalletCoin,
    not_supported,
)
from cartridge.probes.ldk import TOKEN, Identity, LdkHttp, RefusedError
from cartridge.probes.wait import Patience, until

REFUSED = "RecipientRejected"
"""Why a payment failed that its destination did not want."""
TYPE = "anchors"
"""The one type of channel it opens."""
_AGAIN_WITHIN = 60.0
"""Seconds the daemon may take to start again."""
_GRACE = 10.0
"""Seconds the daemon may take to say that a payment failed in the time it had."""


def load_identity(read: Callable[[str], bytes]) -> Identity:
    """Return who a node must be, from the files that were put into its data folder before its first start.

    Args:
        read: returns the bytes of a file relative to the node's data folder; raises MissingError.
    """
    return Identity(pubkey=read("identity.pubkey").decode(), token=read(TOKEN).decode())


class Ldk:
    """A node run by LDK. `Node` says what each method does.

    Args:
        http: how to reach it, and who it must be.
    """

    def __init__(self, http: LdkHttp) -> None:
        self._http = http

    @property
    def name(self) -> str:
        """Return the node's name in the network."""
        return self._http.name

    def info(self) -> Info:
        """Return what it says of itself; where a block is new, it follows before it answers."""
        return convert(self._ask("info"), Info)

    def coins(self) -> tuple[WalletCoin, ...]:
        """Return the coins of its wallet that nothing has a claim on; those in the mempool are not known to it."""
        return convert(self._ask("coins"), wire.Coins).coins

    def new_address(self) -> str:
        """Return a fresh address of its wallet."""
        return convert(self._ask("address"), wire.Address).address

    def peers(self) -> frozenset[str]:
        """Return the public keys it is connected to."""
        return convert(self._ask("peers"), wire.Peers).peers

    def connect(self, pubkey: str, address: str) -> None:
        """Connect to a peer at host:port; no error where it is connected."""
        self._ask("connect", pubkey=pubkey, address=address)

    def disconnect(self, pubkey: str) -> None:
        """Part from a peer, who may come back by himself; no error where it is not connected."""
        self._ask("disconnect", pubkey=pubkey)

    @contextlib.contextmanager
    def welcoming(self, guests: Collection[Guest]) -> Iterator[bool]:
        """Take channels of these peers before they are confirmed, and of nobody else, until others are welcome.

        The library trusts peers, not channels, and learns whom only at its start: so the daemon starts again where
        they are other ones than before.
        """
        peers = sorted({guest.opener for guest in guests})

        def is_told() -> bool:
            return not convert(self._ask("trust", peers=peers), wire.Trusting).again

        again = not is_told()
        if again:
            self._await_start(is_told)
        yield again

    def relearn(self) -> None:
        """Ask its peers for all they know: the library does that at its start alone, so the daemon starts again."""
        session = convert(self._ask("relearn", session=""), wire.Session).session

        def is_another() -> bool:
            return not convert(self._ask("relearn", session=session), wire.Session).again

        self._await_start(is_another)

    def _await_start(self, is_done: Callable[[], bool]) -> None:
        def is_back() -> bool:
            self._http.start_over()
            return is_done()

        patience = Patience.of(SystemClock(), _AGAIN_WITHIN)
        until(is_back, f"`{self.name}` to start again", patience, expected=(UnknownVerdictError,))

    def open(self, opening: Opening) -> str:
        """Open a channel and return its point once its funding is in the mempool; the wallet chooses the coin.

        Raises:
            ApplyError: `not-supported`, another type than the one it has.
        """
        if opening.type not in {None, TYPE}:
            raise not_supported(self.name, "LDK", f"choice of channels of type {opening.type}")
        order = asdict(opening)
        del order["coin"]
        return convert(self._ask("open", **order), wire.Opened).point

    def close(self, point: str, *, force: bool = False) -> str:
        """Close a channel, by agreement or by force, and return the closing txid once that is in the mempool."""
        return convert(self._ask("close", point=point, force=force), wire.Closed).txid

    def channels(self) -> tuple[NodeChannel, ...]:
        """Return its channels, pending ones included; `sent` and `received` are what moved in all, not each way."""
        return convert(self._ask("channels"), wire.Channels).channels

    def endings(self) -> tuple[Ending, ...]:
        """Return its channels that are being closed and of which something is still to come."""
        return convert(self._ask("endings"), wire.Endings).endings

    def edges(self) -> tuple[Edge, ...]:
        """Return its view of the network, its own private channels included."""
        known = wire.VIEWS.known()
        seen = convert(self._ask("edges", known=[*known]), wire.Edges)
        if seen.announced is None:
            return known[seen.digest] + seen.own
        wire.VIEWS.keep(seen.digest, seen.announced)
        return seen.announced + seen.own

    def set_policy(self, point: str, policy: Policy) -> None:
        """Set the policy of its end of a channel; what it forwards at least and at most stays as it is.

        Raises:
            ApplyError: `not-supported`, the limits of the policy are others.
        """
        own = self.info().pubkey
        known = next((edge.policy(own) for edge in self.edges() if edge.point == point and own in edge.ends), None)
        if known is None:
            raise self._not_yet(f"`{self.name}` does not know its policy of `{point}`")
        if (policy.min_htlc, policy.max_htlc) != (known.min_htlc, known.max_htlc):
            raise not_supported(self.name, "LDK", "changes of what a channel forwards at least and at most")
        self._ask(
            "policy",
            point=point,
            base_fee=policy.base_fee,
            fee_rate=policy.fee_rate,
            time_lock_delta=policy.time_lock_delta,
        )

    def invoice(self, amount: int, memo: str = "") -> Invoice:
        """Return an invoice over `amount` millisatoshis."""
        return convert(self._ask("invoice", amount=amount, memo=memo), Invoice)

    def hold_invoice(self, amount: int, payment_hash: str, memo: str = "") -> Invoice:
        """Return an invoice whose payment is held until `settle` or `cancel`; its preimage is the caller's secret."""
        return convert(self._ask("invoice", amount=amount, memo=memo, payment_hash=payment_hash), Invoice)

    def invoice_state(self, payment_hash: str) -> InvoiceState:
        """Return how far an invoice of its own has come."""
        return convert(self._ask("invoice-state", payment_hash=payment_hash), wire.State).state

    def settle(self, preimage: str) -> None:
        """Take the payment that is held for the hold invoice of this preimage (hex); NotYetError where none is."""
        self._ask("settle", preimage=preimage)

    def cancel(self, payment_hash: str) -> None:
        """Send back what is held for a hold invoice, which nobody can pay from then on."""
        self._ask("cancel", payment_hash=payment_hash)

    def decode(self, request: str) -> Decoded:
        """Return what an invoice asks for."""
        return convert(self._ask("decode", request=request), Decoded)

    def steers(self, through: int) -> bool:
        """Return whether a payment can be made to leave over a channel: only where its peer has no other with it."""
        return self._steering(through).steers

    def pay(
        self, request: str, *, fee_limit: int, within: float = 30.0, through: int | None = None, parts: int = 1
    ) -> Payment:
        """Pay an invoice and return when it is settled; `hops` is None: the library does not tell the way.

        Raises:
            ApplyError: `not-supported`, `through` is one of several channels with a peer, or the peer is not paid.
            PaymentError: `payment-failed`.
        """
        if through is not None:
            found = self._steering(through)
            if not found.steers or self.decode(request).payee != found.peer:
                raise not_supported(self.name, "LDK", "choice of the channel a payment leaves by")
        direct = through is not None
        return self._pay("pay", within, request=request, fee_limit=fee_limit, parts=parts, direct=direct)

    def keysend(self, pubkey: str, amount: int, *, fee_limit: int, within: float = 30.0) -> Payment:
        """Pay `amount` millisatoshis to a node that made no invoice; arguments and errors as for `pay`."""
        return self._pay("keysend", within, pubkey=pubkey, amount=amount, fee_limit=fee_limit)

    def test_route(self, destination: str, amount: int, *, through: int, within: float = 30.0) -> None:
        """Raise ApplyError (`not-supported`): the library sends nothing that nobody can claim."""
        raise not_supported(self.name, "LDK", "payments that nobody can claim")

    def _steering(self, through: int) -> wire.Steers:
        return convert(self._ask("steers", scid=through), wire.Steers)

    def _pay(self, command: str, within: float, **order: object) -> Payment:
        try:
            paid = self._http.ask(command, within + _GRACE, within=within, **order)
        except RefusedError as error:
            raise self._translated(error) from error
        return Payment(**asdict(convert(paid, wire.Paid)), hops=None)

    def _ask(self, command: str, **order: object) -> object:
        try:
            return self._http.ask(command, **order)
        except RefusedError as error:
            raise self._translated(error) from error

    def _translated(self, error: RefusedError) -> ApplyError:
        if error.word == "not-yet":
            return self._not_yet(error.brief)
        if error.word == "payment-failed":
            return PaymentError(
                f"a payment from `{self.name}` failed: {error.reason}",
                code="payment-failed",
                reason=error.reason,
                reached=error.reason == REFUSED,
                resolution="see that the channels on the way are active and hold enough, with `cartridge exec`",
            )
        return error

    def _not_yet(self, brief: str) -> NotYetError:
        return NotYetError(brief, code="ldk-not-yet", resolution="wait a moment and try again")
