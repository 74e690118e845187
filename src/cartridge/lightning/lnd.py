"""lnd as a `Node`, over its REST protocol. Answers are parsed here, at the one edge, and refusals told apart here."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping

from cartridge.lightning import wire
from cartridge.lightning.node import (
    Decoded,
    Edge,
    Info,
    Invoice,
    NodeChannel,
    NotYetError,
    Opening,
    Payment,
    PaymentError,
    Policy,
    WalletCoin,
)
from cartridge.probes.lnd import Identity, LndRest, RefusedError

FEE_RATE = 1
"""Satoshis per virtual byte of a funding transaction."""
FINAL_CLTV_DELTA = 80
"""Blocks the last hop of a payment gets, as lnd's own invoices ask."""
_SATOSHI = 1_000
"""Millisatoshis in a satoshi."""

_NOT_YET = (
    "synchronizing blockchain",
    "wallet is fully synced",
    "is not online",
    "not yet ready",
    "in the process of starting",
    "still syncing",
    "edge not found",
    "unable to get best block info",
)
"""What lnd's refusals say when waiting helps; it has no error numbers for them."""


def load_identity(read: Callable[[str], bytes]) -> Identity:
    """Return who a node must be, from the files that were put into its data folder before its first start.

    Args:
        read: returns the bytes of a file relative to the node's data folder; raises MissingError.
    """
    return Identity(
        pubkey=read("identity.pubkey").decode(),
        certificate=read("tls.cert").decode(),
        macaroon=read("data/chain/bitcoin/regtest/admin.macaroon"),
    )


class Lnd:
    """A node run by lnd. `Node` says what each method does.

    Args:
        rest: how to reach it, and who it must be.
    """

    def __init__(self, rest: LndRest) -> None:
        self._rest = rest

    @property
    def name(self) -> str:
        """Return the node's name in the network."""
        return self._rest.name

    def info(self) -> Info:
        """Return what it says of itself."""
        info = wire.GetInfo.model_validate(self._get("/v1/getinfo"))
        return Info(info.identity_pubkey, info.alias, info.block_height, info.synced_to_chain)

    def coins(self) -> tuple[WalletCoin, ...]:
        """Return the coins of its wallet that nothing has a claim on."""
        # not /v1/balance/blockchain: that adds up every account and takes half a second
        answer = wire.Unspent.model_validate(self._get("/v1/utxos?min_confs=0&max_confs=2147483647"))
        return tuple(
            WalletCoin(f"{coin.outpoint.txid_str}:{coin.outpoint.output_index}", coin.amount_sat, coin.confirmations)
            for coin in answer.utxos
        )

    def new_address(self) -> str:
        """Return a fresh address of its wallet."""
        return wire.NewAddress.model_validate(self._get("/v1/newaddress?type=WITNESS_PUBKEY_HASH")).address

    def peers(self) -> frozenset[str]:
        """Return the public keys it is connected to."""
        return frozenset(peer.pub_key for peer in wire.Peers.model_validate(self._get("/v1/peers")).peers)

    def connect(self, pubkey: str, address: str) -> None:
        """Connect to a peer at host:port; no error where it is connected."""
        try:
            self._post("/v1/peers", {"addr": {"pubkey": pubkey, "host": address}})
        except RefusedError as error:
            if "already connected" not in error.brief:
                raise

    def open(self, opening: Opening) -> str:
        """Open a channel and return its point once its funding is in the mempool."""
        txid, _, index = opening.coin.partition(":")
        answer = wire.OpenedChannel.model_validate(
            self._post(
                "/v1/channels",
                {
                    "node_pubkey_string": opening.peer,
                    "local_funding_amount": str(opening.capacity),
                    "push_sat": str(opening.push),
                    "private": opening.private,
                    "memo": opening.memo,
                    "sat_per_vbyte": str(FEE_RATE),
                    "outpoints": [{"txid_str": txid, "output_index": int(index)}],
                    "base_fee": str(opening.base_fee or 0),
                    "use_base_fee": opening.base_fee is not None,
                    "fee_rate": str(opening.fee_rate or 0),
                    "use_fee_rate": opening.fee_rate is not None,
                },
            )
        )
        return f"{base64.b64decode(answer.funding_txid_bytes)[::-1].hex()}:{answer.output_index}"

    def channels(self) -> tuple[NodeChannel, ...]:
        """Return its channels, pending ones included."""
        # pending ones first: a channel that is confirmed between the questions is then seen twice, not never
        pending = wire.Pending.model_validate(self._get("/v1/channels/pending"))
        opened = wire.Channels.model_validate(self._get("/v1/channels"))
        known = {channel.channel_point for channel in opened.channels}
        waiting = (one for one in pending.pending_open_channels if one.channel.channel_point not in known)
        return (*map(_opened, opened.channels), *map(_pending, waiting))

    def edges(self) -> tuple[Edge, ...]:
        """Return its view of the network, its own private channels included."""
        graph = wire.Graph.model_validate(self._get("/v1/graph?include_unannounced=true"))
        return tuple(
            Edge(
                edge.chan_point,
                (edge.node1_pub, edge.node2_pub),
                (_policy(edge.node1_policy), _policy(edge.node2_policy)),
            )
            for edge in graph.edges
        )

    def set_policy(self, point: str, policy: Policy) -> None:
        """Set the policy of its end of a channel."""
        txid, _, index = point.partition(":")
        answer = wire.PolicyUpdate.model_validate(
            self._post(
                "/v1/chanpolicy",
                {
                    "chan_point": {"funding_txid_str": txid, "output_index": int(index)},
                    "base_fee_msat": str(policy.base_fee),
                    "fee_rate_ppm": policy.fee_rate,
                    "time_lock_delta": policy.time_lock_delta,
                    "min_htlc_msat": str(policy.min_htlc),
                    "min_htlc_msat_specified": True,
                    "max_htlc_msat": str(policy.max_htlc),
                },
            )
        )
        for failed in answer.failed_updates:
            raise self._translated(
                RefusedError(f"`{self.name}` refused a policy: {failed.update_error}", code="lnd-refused")
            )

    def invoice(self, amount: int, memo: str = "") -> Invoice:
        """Return an invoice over `amount` millisatoshis."""
        answer = wire.AddedInvoice.model_validate(
            self._post("/v1/invoices", {"value_msat": str(amount), "memo": memo, "private": True})
        )
        return Invoice(answer.payment_request, base64.b64decode(answer.r_hash).hex())

    def decode(self, request: str) -> Decoded:
        """Return what an invoice asks for."""
        answer = wire.PayReq.model_validate(self._get(f"/v1/payreq/{request}"))
        return Decoded(answer.destination, answer.num_msat, answer.payment_hash)

    def pay(self, request: str, *, fee_limit: int, within: float = 30.0, through: int | None = None) -> Payment:
        """Pay an invoice and return when it is settled."""
        payment = self._send({"payment_request": request, "fee_limit_msat": str(fee_limit)}, within, through)
        if payment.status != "SUCCEEDED":
            raise self._failed(payment.failure_reason)
        hops = max((len(attempt.route.hops) for attempt in payment.htlcs if attempt.status == "SUCCEEDED"), default=0)
        return Payment(payment.payment_hash, payment.value_msat, payment.fee_msat, hops)

    def test_route(self, destination: str, amount: int, *, through: int, within: float = 30.0) -> None:
        """Send a payment nobody can claim, and see it come back from its destination: no balance changes."""
        order: Mapping[str, object] = {
            "dest": base64.b64encode(bytes.fromhex(destination)).decode(),
            "amt_msat": str(amount),
            "payment_hash": base64.b64encode(secrets.token_bytes(32)).decode(),
            "final_cltv_delta": FINAL_CLTV_DELTA,
            "fee_limit_msat": "0",
        }
        payment = self._send(order, within, through)
        if payment.failure_reason != "FAILURE_REASON_INCORRECT_PAYMENT_DETAILS":
            raise self._failed(payment.failure_reason or payment.status)

    def _send(self, order: Mapping[str, object], within: float, through: int | None) -> wire.SentPayment:
        limits: dict[str, object] = {"timeout_seconds": max(1, round(within)), "no_inflight_updates": True}
        if through is not None:
            limits["outgoing_chan_ids"] = [str(through)]
        try:
            return wire.SentPayment.model_validate(self._rest.last("/v2/router/send", {**order, **limits}))
        except RefusedError as error:
            raise self._translated(error) from error

    def _failed(self, reason: str) -> PaymentError:
        plain = reason.removeprefix("FAILURE_REASON_").lower().replace("_", " ")
        return PaymentError(
            f"a payment from `{self.name}` failed: {plain}",
            code="payment-failed",
            reason=reason,
            resolution="see that the channels on the way are active and hold enough, with `cartridge exec`",
        )

    def _get(self, path: str) -> object:
        try:
            return self._rest.get(path)
        except RefusedError as error:
            raise self._translated(error) from error

    def _post(self, path: str, body: Mapping[str, object]) -> object:
        try:
            return self._rest.post(path, body)
        except RefusedError as error:
            raise self._translated(error) from error

    def _translated(self, error: RefusedError) -> RefusedError | NotYetError:
        if any(sign in error.brief.lower() for sign in _NOT_YET):
            return NotYetError(error.brief, code="lnd-not-yet", resolution="wait a moment and try again")
        return error


def _opened(channel: wire.Channel) -> NodeChannel:
    return NodeChannel(
        point=channel.channel_point,
        peer=channel.remote_pubkey,
        capacity=channel.capacity,
        local=channel.local_balance,
        remote=channel.remote_balance,
        local_reserve=channel.local_constraints.chan_reserve_sat,
        remote_reserve=channel.remote_constraints.chan_reserve_sat,
        initiator=channel.initiator,
        private=channel.private,
        pending=False,
        confirmations_missing=0,
        active=channel.active,
        scid=channel.chan_id,
        memo=channel.memo,
        sent=channel.total_satoshis_sent,
        received=channel.total_satoshis_received,
    )


def _pending(waiting: wire.PendingOpen) -> NodeChannel:
    channel = waiting.channel
    return NodeChannel(
        point=channel.channel_point,
        peer=channel.remote_node_pub,
        capacity=channel.capacity,
        local=channel.local_balance,
        remote=channel.remote_balance,
        local_reserve=channel.local_chan_reserve_sat,
        remote_reserve=channel.remote_chan_reserve_sat,
        initiator=channel.initiator == "INITIATOR_LOCAL",
        private=channel.private,
        pending=True,
        confirmations_missing=waiting.confirmations_until_active,
        active=False,
        scid=0,
        memo=channel.memo,
    )


def _policy(policy: wire.RoutingPolicy | None) -> Policy | None:
    if policy is None:
        return None
    return Policy(
        base_fee=policy.fee_base_msat,
        fee_rate=policy.fee_rate_milli_msat,
        time_lock_delta=policy.time_lock_delta,
        min_htlc=policy.min_htlc,
        max_htlc=policy.max_htlc_msat,
    )
