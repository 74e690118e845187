"""A Lightning node as the choreography sees it, whatever its implementation. Says what is, never decides.

Amounts on the chain and in channels are satoshis; amounts of payments, fees and policies are millisatoshis.
A channel's `point` is `txid:index` of its funding output; a node is named by its public key in hex.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from cartridge.errors import ApplyError
from cartridge.lightning.nodes.ending import Ending

FUNDING_FEE = 140
"""Satoshis a coin holds beyond the capacity of the channel it pays for: the transaction has about 122 virtual bytes.

So little more, that a wallet which chooses its coins itself takes this one and makes no change.
"""


@dataclass(eq=False)
class NotYetError(ApplyError):
    """The node cannot do that now but will soon: it is catching up with the chain, or its peer is."""


@dataclass(eq=False)
class PaymentError(ApplyError):
    """A payment failed; `reason` is the implementation's own word for why, `reached` that its destination said so."""

    reason: str = ""
    reached: bool = False


def not_supported(name: str, implementation: str, what: str) -> ApplyError:
    """Return the error of a node whose implementation cannot do a thing, such as `hold invoices`."""
    return ApplyError(
        f"`{name}` runs {implementation}, which has no {what}",
        code="not-supported",
        resolution=f"use a node of another implementation for {what}; lnd has all of them",
    )


class Info(Struct, frozen=True):
    """What a node says of itself.

    Attributes:
        pubkey: its identity.
        alias: the name it announces.
        height: the block it has come to.
        synced: it follows the chain's tip.
    """

    pubkey: str
    alias: str
    height: int
    synced: bool


class WalletCoin(Struct, frozen=True):
    """An unspent output of a node's own wallet, in satoshis; `confirmations` is 0 in the mempool."""

    outpoint: str
    amount: int
    confirmations: int


class Policy(Struct, frozen=True):
    """What one end of a channel asks for forwarding; fees and limits in millisatoshis, rate in parts per million."""

    base_fee: int
    fee_rate: int
    time_lock_delta: int
    min_htlc: int
    max_htlc: int


class Opening(Struct, frozen=True):
    """A channel to open, in satoshis.

    Attributes:
        peer: public key of the other end; must be connected.
        capacity: of the channel.
        push: given to the other end.
        coin: the outpoint that pays for it, alone; "" leaves the choice to the wallet.
        memo: what the node remembers with it, told to nobody.
        private: not announced to the network.
        base_fee: of our end's policy, in millisatoshis; None for the default.
        fee_rate: of our end's policy, in parts per million; None for the default.
        zero_conf: used before it is confirmed; the other end must be `welcoming` it.
        type: of its commitments, such as `anchors`; None leaves it to the two ends.
    """

    peer: str
    capacity: int
    push: int
    coin: str
    memo: str
    private: bool = False
    base_fee: int | None = None
    fee_rate: int | None = None
    zero_conf: bool = False
    type: str | None = None


class Guest(Struct, frozen=True):
    """A channel that a peer (its public key) is about to open with a node, in satoshis."""

    opener: str
    capacity: int
    push: int
    private: bool


class NodeChannel(Struct, frozen=True):
    """A channel as one of its ends sees it, in satoshis.

    Attributes:
        point: its funding output.
        peer: public key of the other end.
        capacity: of the channel.
        local: what this end could spend.
        remote: what the other end could spend.
        local_reserve: what this end must keep.
        remote_reserve: what the other end must keep.
        initiator: this end opened it.
        private: it is not announced.
        pending: its funding is not confirmed often enough.
        confirmations_missing: blocks until it is; 0 where it does not pend.
        active: both ends are online and it can carry payments.
        scid: its short id as a number, by which payments are led over it; 0 while it pends.
        memo: what the opener's node was given to remember; "" at the other end.
        sent: all this end ever paid over it.
        received: all this end was ever paid over it.
        zero_conf: it is used, and was from the start, whether or not it is confirmed.
        unconfirmed: its funding is known to be in no block that counts, though it does not pend.
        type: of its commitments, as written in documents; "" where the node does not tell.
        place: its short id by its place on the chain, where `scid` is another one; else 0.
        aliases: more short ids of it.
    """

    point: str
    peer: str
    capacity: int
    local: int
    remote: int
    local_reserve: int
    remote_reserve: int
    initiator: bool
    private: bool
    pending: bool
    confirmations_missing: int
    active: bool
    scid: int
    memo: str = ""
    sent: int = 0
    received: int = 0
    zero_conf: bool = False
    unconfirmed: bool = False
    type: str = ""
    place: int = 0
    aliases: tuple[int, ...] = ()


class Edge(Struct, frozen=True):
    """A channel as the graph of a node holds it; a policy is None while it is not known.

    Attributes:
        point: its funding output.
        ends: the two public keys.
        policies: of the ends, in the same order.
        disabled: an end has said that it forwards nothing over it for now, as far as this implementation tells.
    """

    point: str
    ends: tuple[str, str]
    policies: tuple[Policy | None, Policy | None]
    disabled: bool = False

    def policy(self, pubkey: str) -> Policy | None:
        """Return the policy of one end."""
        return self.policies[self.ends.index(pubkey)]


class Invoice(Struct, frozen=True):
    """A request to be paid: its text and payment hash (hex)."""

    request: str
    payment_hash: str


class Decoded(Struct, frozen=True):
    """What an invoice asks for: who is paid, how much (millisatoshis) and its payment hash (hex)."""

    payee: str
    amount: int
    payment_hash: str


class InvoiceState(StrEnum):
    """How far an invoice has come."""

    OPEN = "open"
    """Nobody has paid it."""
    ACCEPTED = "accepted"
    """A payment is held until its maker settles or cancels it."""
    SETTLED = "settled"
    """It is paid."""
    CANCELED = "canceled"
    """It will never be paid; what was held went back."""


class Payment(Struct, frozen=True):
    """A payment that succeeded; amounts in millisatoshis; `hops` of its longest part, of which there are `parts`.

    `hops` is None where the node does not tell the way.
    """

    payment_hash: str
    amount: int
    fee: int
    hops: int | None
    parts: int = 1


class Node(Protocol):
    """A Lightning node. All implementations pass tests/conformance/test_node.py.

    Every method raises UnknownVerdictError (`lnd-unreachable`) where it gets no answer and ApplyError
    (`lnd-refused`) where the node refuses, NotYetError (`lnd-not-yet`) where it refuses only for now; ApplyError
    (`not-supported`, see `not_supported`) where its implementation cannot do such a thing at all.
    """

    @property
    def name(self) -> str:
        """Return the node's name in the network."""

    def info(self) -> Info:
        """Return what it says of itself."""

    def coins(self) -> tuple[WalletCoin, ...]:
        """Return the coins of its wallet that nothing has a claim on."""

    def new_address(self) -> str:
        """Return a fresh address of its wallet."""

    def peers(self) -> frozenset[str]:
        """Return the public keys it is connected to."""

    def connect(self, pubkey: str, address: str) -> None:
        """Connect to a peer at host:port; no error where it is connected."""

    def disconnect(self, pubkey: str) -> None:
        """Part from a peer, who may come back by himself; no error where it is not connected."""

    def welcoming(self, guests: Collection[Guest]) -> AbstractContextManager[bool]:
        """While it lasts, take these channels, and no others, before they are confirmed.

        Gives whether it has parted from its peers for that: a node may have to start again.
        """

    def open(self, opening: Opening) -> str:
        """Open a channel and return its point once its funding is in the mempool."""

    def close(self, point: str, *, force: bool = False) -> str:
        """Close a channel, by agreement or by force, and return the closing txid once that is in the mempool."""

    def channels(self) -> tuple[NodeChannel, ...]:
        """Return its channels, pending ones included."""

    def endings(self) -> tuple[Ending, ...]:
        """Return its channels that are being closed; they are none of `channels` any more."""

    def edges(self) -> tuple[Edge, ...]:
        """Return its view of the network, its own private channels included."""

    def set_policy(self, point: str, policy: Policy) -> None:
        """Set the policy of its end of a channel."""

    def invoice(self, amount: int, memo: str = "") -> Invoice:
        """Return an invoice over `amount` millisatoshis."""

    def hold_invoice(self, amount: int, payment_hash: str, memo: str = "") -> Invoice:
        """Return an invoice whose payment is held until `settle` or `cancel`; its preimage is the caller's secret."""

    def invoice_state(self, payment_hash: str) -> InvoiceState:
        """Return how far an invoice of its own has come."""

    def settle(self, preimage: str) -> None:
        """Take the payment that is held for the hold invoice of this preimage (hex); NotYetError where none is."""

    def cancel(self, payment_hash: str) -> None:
        """Send back what is held for a hold invoice, which nobody can pay from then on."""

    def decode(self, request: str) -> Decoded:
        """Return what an invoice asks for."""

    def steers(self, through: int) -> bool:
        """Return whether a payment to its peer can be made to go over the channel with this short id, and no other."""

    def pay(
        self, request: str, *, fee_limit: int, within: float = 30.0, through: int | None = None, parts: int = 1
    ) -> Payment:
        """Pay an invoice and return when it is settled.

        Args:
            request: the invoice.
            fee_limit: millisatoshis at most.
            within: seconds to try.
            through: short id of the channel that must carry it first; None for any.
            parts: the most shards it may be split into.

        Raises:
            PaymentError: `payment-failed`.
        """

    def keysend(self, pubkey: str, amount: int, *, fee_limit: int, within: float = 30.0) -> Payment:
        """Pay `amount` millisatoshis to a node that made no invoice; arguments and errors as for `pay`."""

    def test_route(self, destination: str, amount: int, *, through: int, within: float = 30.0) -> None:
        """Send a payment nobody can claim, and see it come back from its destination: no balance changes.

        Raises:
            PaymentError: `payment-failed`, it did not reach the destination.
        """
