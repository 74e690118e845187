"""lnd as a `Node`, over its REST protocol: wallet, peers, channels and graph; `lnd_payments` has the rest of it.

Answers are parsed at this edge into what `node` describes. Never decides and never waits for a block.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext

from cartridge.lightning.nodes import lnd_wire as wire
from cartridge.lightning.nodes.ending import Ending
from cartridge.lightning.nodes.lnd_payments import LndPayments
from cartridge.lightning.nodes.node import (
    Edge,
    Guest,
    Info,
    NodeChannel,
    NotYetError,
    Opening,
    Policy,
    WalletCoin,
)
from cartridge.probes.lnd import Identity, RefusedError

FEE_RATE = 1
"""Satoshis per virtual byte of a funding transaction."""
CLOSE_TARGET, MOST_FEE_RATE = 6, 1_000
"""Blocks a closing transaction may take, lnd's own default; and satoshis per virtual byte it may pay."""

TYPES = {"static-remote-key": "STATIC_REMOTE_KEY", "anchors": "ANCHORS", "taproot": "TAPROOT"}
"""lnd's names of types of channels, by ours. Of the two taproot types it is the one with the final scripts."""
_UNABLE = "channel type not supported"
_BLOCKED = "internal error"
"""All an opener hears where the other end does not take a channel unconfirmed, mostly not yet."""


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


class Lnd(LndPayments):
    """A node run by lnd. `Node` says what each method does.

    Args:
        rest: how to reach it, and who it must be.
    """

    def info(self) -> Info:
        """Return what it says of itself."""
        info = wire.read(self._get("/v1/getinfo"), wire.GetInfo)
        return Info(info.identity_pubkey, info.alias, info.block_height, info.synced_to_chain)

    def coins(self) -> tuple[WalletCoin, ...]:
        """Return the coins of its wallet that nothing has a claim on."""
        # not /v1/balance/blockchain: that adds up every account and takes half a second
        answer = wire.read(self._get("/v1/utxos?min_confs=0&max_confs=2147483647"), wire.Unspent)
        return tuple(
            WalletCoin(f"{coin.outpoint.txid_str}:{coin.outpoint.output_index}", coin.amount_sat, coin.confirmations)
            for coin in answer.utxos
        )

    def new_address(self) -> str:
        """Return a fresh address of its wallet."""
        return wire.read(self._get("/v1/newaddress?type=WITNESS_PUBKEY_HASH"), wire.NewAddress).address

    def peers(self) -> frozenset[str]:
        """Return the public keys it is connected to."""
        return frozenset(peer.pub_key for peer in wire.read(self._get("/v1/peers"), wire.Peers).peers)

    def connect(self, pubkey: str, address: str) -> None:
        """Connect to a peer at host:port; no error where it is connected."""
        try:
            self._post("/v1/peers", {"addr": {"pubkey": pubkey, "host": address}})
        except RefusedError as error:
            if "already connected" not in error.brief:
                raise

    def disconnect(self, pubkey: str) -> None:
        """Part from a peer, who may come back by himself; no error where it is not connected."""
        try:
            self._delete(f"/v1/peers/{pubkey}")
        except RefusedError as error:
            if "not connected" not in error.brief:
                raise

    def welcoming(self, guests: Collection[Guest]) -> AbstractContextManager[bool]:
        """While it lasts, take these channels, and no others, before they are confirmed."""
        from cartridge.lightning.nodes.lnd_acceptor import accepting

        return accepting(self._rest, guests) if guests else nullcontext(enter_result=False)

    def open(self, opening: Opening) -> str:
        """Open a channel and return its point once its funding is in the mempool."""
        try:
            return self._open(opening)
        except RefusedError as error:
            if opening.zero_conf and _BLOCKED in error.brief:
                raise NotYetError(error.brief, code="lnd-not-yet", resolution="wait a moment and try again") from error
            if _UNABLE in error.brief:
                word = "zero_conf" if opening.zero_conf else opening.type
                error.resolution = f"bind `{word}: always` of cartridge `lightning`, so that every lnd can do that"
            raise

    def _open(self, opening: Opening) -> str:
        kind = opening.type or ("anchors" if opening.zero_conf else None)  # lnd wants it said with `zero_conf`
        answer = wire.read(
            self._post(
                "/v1/channels",
                {
                    "node_pubkey_string": opening.peer,
                    "local_funding_amount": str(opening.capacity),
                    "push_sat": str(opening.push),
                    "private": opening.private,
                    "memo": opening.memo,
                    "sat_per_vbyte": str(FEE_RATE),
                    "outpoints": [_outpoint(opening.coin)] if opening.coin else [],
                    "base_fee": str(opening.base_fee or 0),
                    "use_base_fee": opening.base_fee is not None,
                    "fee_rate": str(opening.fee_rate or 0),
                    "use_fee_rate": opening.fee_rate is not None,
                    "zero_conf": opening.zero_conf,
                    "commitment_type": TYPES[kind] if kind else "UNKNOWN_COMMITMENT_TYPE",
                },
            ),
            wire.OpenedChannel,
        )
        return f"{_txid(answer.funding_txid_bytes)}:{answer.output_index}"

    def close(self, point: str, *, force: bool = False) -> str:
        """Close a channel, by agreement or by force, and return the closing txid once that is in the mempool."""
        txid, _, index = point.partition(":")
        # without `no_wait` it refuses while a payment is under way, and with traffic there is always one; both ends
        # ask the same chain for this target, so they agree on a fee at once; the bound is for other implementations
        how = f"target_conf={CLOSE_TARGET}&max_fee_per_vbyte={MOST_FEE_RATE}&no_wait=true"
        how = "force=true" if force else how
        answer = wire.read(self._deleting(f"/v1/channels/{txid}/{index}?{how}", "close_pending"), wire.Closing)
        return _txid(answer.close_pending.txid)

    def channels(self) -> tuple[NodeChannel, ...]:
        """Return its channels, pending ones included."""
        # pending ones first: a channel that is confirmed between the questions is then seen twice, not never
        pending = wire.read(self._get("/v1/channels/pending"), wire.Pending)
        opened = wire.read(self._get("/v1/channels"), wire.Channels)
        known = {channel.channel_point for channel in opened.channels}
        waiting = (one for one in pending.pending_open_channels if one.channel.channel_point not in known)
        return (*map(_opened, opened.channels), *map(_pending, waiting))

    def endings(self) -> tuple[Ending, ...]:
        """Return its channels that are being closed; they are none of `channels` any more."""
        now = wire.read(self._get("/v1/channels/pending"), wire.PendingCloses)
        return (
            *(
                _ending(one, forced=_is_forced(one), waits=not one.close_height, left=one.blocks_til_close_confirmed)
                for one in now.waiting_close_channels
            ),
            *(
                _ending(one, forced=True, waits=False, left=one.blocks_til_maturity)
                for one in now.pending_force_closing_channels
            ),
        )

    def closed(self) -> Mapping[str, bool]:
        """Return whether it was by force, for each channel that is closed or about to be, by its point."""
        past = wire.read(self._get("/v1/channels/closed"), wire.ClosedChannels)
        now = wire.read(self._get("/v1/channels/pending"), wire.PendingCloses)
        return {
            **{one.channel.channel_point: _is_forced(one) for one in now.waiting_close_channels},
            **{one.channel_point: "FORCE" in one.close_type for one in past.channels},
            **{one.channel.channel_point: True for one in now.pending_force_closing_channels},
        }

    def edges(self) -> tuple[Edge, ...]:
        """Return its view of the network, its own private channels included."""
        graph = wire.read(self._get("/v1/graph?include_unannounced=true"), wire.Graph)
        return tuple(
            Edge(
                edge.chan_point,
                (edge.node1_pub, edge.node2_pub),
                (_policy(edge.node1_policy), _policy(edge.node2_policy)),
                disabled=any(end is not None and end.disabled for end in (edge.node1_policy, edge.node2_policy)),
            )
            for edge in graph.edges
        )

    def set_policy(self, point: str, policy: Policy) -> None:
        """Set the policy of its end of a channel."""
        txid, _, index = point.partition(":")
        answer = wire.read(
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
            ),
            wire.PolicyUpdate,
        )
        for failed in answer.failed_updates:
            raise self._translated(
                RefusedError(f"`{self.name}` refused a policy: {failed.update_error}", code="lnd-refused")
            )


def _is_forced(waiting: wire.WaitingClose) -> bool:
    return waiting.closing_txid in {waiting.commitments.local_txid, waiting.commitments.remote_txid}


def _ending(one: wire.WaitingClose | wire.PendingClose, *, forced: bool, waits: bool, left: int) -> Ending:
    channel = one.channel
    return Ending(
        point=channel.channel_point,
        peer=channel.remote_node_pub,
        capacity=channel.capacity,
        local=channel.local_balance,
        remote=channel.remote_balance,
        initiator=channel.initiator == "INITIATOR_LOCAL",
        private=channel.private,
        forced=forced,
        waits=waits,
        txid=one.closing_txid,
        blocks_left=max(0, left),  # below 0 where only the output that bumps the fee is left
        memo=channel.memo,
    )


def _txid(raw: str) -> str:
    return base64.b64decode(raw)[::-1].hex()


def _outpoint(text: str) -> dict[str, object]:
    txid, _, index = text.partition(":")
    return {"txid_str": txid, "output_index": int(index)}


def _opened(channel: wire.Channel) -> NodeChannel:
    confirmed = channel.zero_conf_confirmed_scid
    # once such a channel is announced, payments are led by its place on the chain, before and in private by its alias
    scid = confirmed if confirmed and not channel.private else channel.chan_id
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
        scid=scid,
        memo=channel.memo,
        sent=channel.total_satoshis_sent,
        received=channel.total_satoshis_received,
        zero_conf=channel.zero_conf,
        unconfirmed=channel.zero_conf and not confirmed,
        type=_type(channel.commitment_type),
        place=confirmed if confirmed != scid else 0,
        aliases=tuple(sorted({*channel.alias_scids, channel.chan_id} - {scid})),
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
        type=_type(channel.commitment_type),
    )


def _type(name: str) -> str:
    return next((ours for ours, theirs in TYPES.items() if theirs == name), name.lower().replace("_", "-"))


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
