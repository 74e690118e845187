"""eclair as a `Node`, over its HTTP: peers, channels and graph; `eclair_payments` has the rest of it.

Its coins lie in a wallet of bitcoind that is its alone. Its graph knows channels by short id alone; the chain tells
their funding outputs. Of a channel that is not announced it tells its own policy, not the other end's.
Never decides and never waits for a block.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import AbstractContextManager

from cartridge.lightning.nodes import eclair_wire as wire
from cartridge.lightning.nodes.eclair_payments import TITLE, EclairPayments
from cartridge.lightning.nodes.ending import Ending
from cartridge.lightning.nodes.node import Edge, Guest, Info, NodeChannel, Opening, Policy, not_supported
from cartridge.lightning.nodes.ordinary import nobody_welcome, refuse_special
from cartridge.lightning.nodes.scids import number_of
from cartridge.probes.wait import until

DEPTH = 6
"""Confirmations a channel needs (`min-depth-blocks` of its configuration)."""
BASE_FEE, FEE_RATE = 1_000, 1
"""Of channels for which nothing else was said (`relay.fees` of its configuration)."""
_PENDING = frozenset(f"DATA_WAIT_FOR_{what}" for what in ("FUNDING_CONFIRMED", "CHANNEL_READY"))
_OPEN = frozenset({"DATA_NORMAL"})
_CLOSING = frozenset({"DATA_SHUTDOWN", "DATA_NEGOTIATING", "DATA_NEGOTIATING_SIMPLE", "DATA_CLOSING"})
_CREATED = re.compile(r"created channel ([0-9a-f]{64}) with fundingTxId=([0-9a-f]{64})")
_SATOSHI = 1_000
_FUNDING_RATE = 1
"""Satoshis per virtual byte of a funding: the least there is."""
_PUBLISHED_WITHIN = 30.0


class Eclair(EclairPayments):
    """A node run by eclair. `Node` says what each method does."""

    def info(self) -> Info:
        """Return what it says of itself."""
        info = self._info()
        return Info(info.node_id, info.alias, info.block_height, info.block_height >= self._rpc.call("getblockcount"))

    def new_address(self) -> str:
        """Return a fresh address of its wallet."""
        return str(self._rpc.call("getnewaddress", "", "bech32", wallet=self._wallet))

    def peers(self) -> frozenset[str]:
        """Return the public keys it is connected to."""
        peers = wire.PEERS.validate_python(self._ask("peers"))
        return frozenset(peer.node_id for peer in peers if peer.state == "CONNECTED")

    def connect(self, pubkey: str, address: str) -> None:
        """Connect to a peer at host:port; no error where it is connected."""
        host, _, port = address.rpartition(":")
        said = self._said("connect", self._ask("connect", nodeId=pubkey, host=host, port=int(port)))
        if not said.startswith(("connected", "already connected")):
            raise self._refused("connect", said)

    def disconnect(self, pubkey: str) -> None:
        """Part from a peer, who may come back by himself; no error where it is not connected."""
        self._ask("disconnect", nodeId=pubkey)

    def welcoming(self, guests: Collection[Guest]) -> AbstractContextManager[bool]:
        """Do nothing for no guests, else raise ApplyError (`not-supported`)."""
        return nobody_welcome(self.name, TITLE, guests)

    def open(self, opening: Opening) -> str:
        """Open a channel and return its point once its funding is in the mempool.

        Raises:
            ApplyError: `not-supported`, another type than the ends agree on, or used unconfirmed.
        """
        refuse_special(self.name, TITLE, opening)
        if opening.coin and opening.memo:
            self._remember(opening.coin, opening.memo)
        if opening.base_fee is not None or opening.fee_rate is not None:
            base = BASE_FEE if opening.base_fee is None else opening.base_fee
            self._relay(opening.peer, base, FEE_RATE if opening.fee_rate is None else opening.fee_rate)
        with self._only(opening.coin):
            answer = self._ask(
                "open",
                nodeId=opening.peer,
                fundingSatoshis=opening.capacity,
                pushMsat=opening.push * _SATOSHI or None,
                fundingFeerateSatByte=_FUNDING_RATE,
                fundingFeeBudgetSatoshis=opening.capacity // 2,
                announceChannel=not opening.private,
            )
        created = _CREATED.search(self._said("open", answer))
        if created is None:
            raise self._refused("open", str(answer))
        point = self._point(created[1], created[2])
        if opening.memo and not opening.coin:
            self._remember(point, opening.memo)
        return point

    def close(self, point: str, *, force: bool = False) -> str:
        """Close a channel, by agreement or by force, and return the closing txid once that is in the mempool."""
        channel = self._own(point)
        command = "forceclose" if force else "close"
        fee = {} if force else {"preferredFeerateSatByte": _FUNDING_RATE}
        results = wire.RESULTS.validate_python(self._ask(command, channelId=channel.channel_id, **fee))
        said = self._said(command, results.get(channel.channel_id, "nothing"))
        if not said.startswith(("closed", "ok")):
            raise self._refused(command, said)

        def published() -> str:
            seen = wire.CHANNEL.validate_python(self._ask("channel", channelId=channel.channel_id))
            txid = seen.data.closing()
            return txid if txid and self._is_known(txid) else ""

        return until(published, f"`{self.name}` to close", self._patience(_PUBLISHED_WITHIN))

    def channels(self) -> tuple[NodeChannel, ...]:
        """Return its channels, pending ones included; `sent` and `received` are what moved in all, not each way."""
        live = [one for one in self._channels() if one.data.type in _PENDING | _OPEN and one.data.commitments]
        memos = self._memos(
            [_funding(one).funding_input for one in live if _params(one).local_params.is_channel_opener]
        )
        return tuple(self._channel(one, memos.get(_funding(one).funding_input, "")) for one in live)

    def endings(self) -> tuple[Ending, ...]:
        """Return its channels that are being closed; how long that takes it does not tell."""
        live = [one for one in self._channels() if one.data.type in _CLOSING and one.data.commitments]
        memos = self._memos([_funding(one).funding_input for one in live])
        waiting = set(self._rpc.call("getrawmempool"))
        return tuple(_ending(one, memos.get(_funding(one).funding_input, ""), waiting) for one in live)

    def edges(self) -> tuple[Edge, ...]:
        """Return its view of the network, its own private channels included."""
        updates: dict[str, dict[bool, Policy]] = {}
        for update in wire.UPDATES.validate_python(self._ask("allupdates")):
            updates.setdefault(update.short_channel_id, {})[update.channel_flags.is_node1] = _policy(update)
        edges = {}
        for one in wire.GRAPH.validate_python(self._ask("allchannels")):
            known = updates.get(one.short_channel_id, {})
            first, second = sorted((one.a, one.b))  # BOLT 7: node 1 has the lesser key
            point = self._at(one.short_channel_id)
            edges[point] = Edge(point, (first, second), (known.get(True), known.get(False)))
        me = self._info().node_id
        for channel in self._channels():
            own = channel.data.channel_update
            if channel.data.type in _OPEN and own is not None and channel.data.commitments:
                point = _funding(channel).funding_input
                edges.setdefault(point, Edge(point, (me, channel.node_id), (_policy(own), None)))
        return tuple(edges.values())

    def set_policy(self, point: str, policy: Policy) -> None:
        """Set the fees of its end of a channel, and of all others with that peer; the rest stays as it is.

        Raises:
            ApplyError: `not-supported`, another time lock or other limits are asked for.
        """
        channel = self._own(point)
        if channel.data.channel_update is not None:
            known = _policy(channel.data.channel_update)
            if known.time_lock_delta != policy.time_lock_delta:
                raise not_supported(self.name, TITLE, "time lock for each channel")
            if (known.min_htlc, known.max_htlc) != (policy.min_htlc, policy.max_htlc):
                raise not_supported(self.name, TITLE, "changes of what a channel forwards at least and at most")
        self._relay(channel.node_id, policy.base_fee, policy.fee_rate)

    def _info(self) -> wire.GetInfo:
        return wire.GetInfo.model_validate(self._ask("getinfo"))

    def _relay(self, peer: str, base_fee: int, fee_rate: int) -> None:
        self._ask("updaterelayfee", nodeId=peer, feeBaseMsat=base_fee, feeProportionalMillionths=fee_rate)

    def _own(self, point: str) -> wire.Channel:
        for one in self._channels():
            if one.data.type in _PENDING | _OPEN and one.data.commitments and _funding(one).funding_input == point:
                return one
        raise self._refused("channel", f"it has no channel `{point}`")

    def _point(self, channel: str, txid: str) -> str:
        """Return the funding output of a new channel, once its transaction is in the mempool."""

        def published() -> str:
            seen = wire.CHANNEL.validate_python(self._ask("channel", channelId=channel))
            return _funding(seen).funding_input if seen.data.commitments and self._is_known(txid) else ""

        return until(published, f"`{self.name}` to publish a funding", self._patience(_PUBLISHED_WITHIN))

    def _at(self, scid: str) -> str:
        block, transaction, output = (int(part) for part in scid.split("x"))
        return f"{self._transactions(block)[transaction]}:{output}"

    def _channel(self, channel: wire.Channel, memo: str) -> NodeChannel:
        params, funding = _params(channel), _funding(channel)
        pending, capacity = channel.data.type in _PENDING, funding.funding_amount
        local = funding.local_commit.spec.to_local // _SATOSHI
        opener = params.local_params.is_channel_opener
        scid = funding.local_funding.short_channel_id
        return NodeChannel(
            point=funding.funding_input,
            peer=channel.node_id,
            capacity=capacity,
            local=local,
            remote=funding.local_commit.spec.to_remote // _SATOSHI,
            local_reserve=_reserve(params.remote_params.reserve, capacity),
            remote_reserve=_reserve(params.local_params.reserve, capacity),
            initiator=opener,
            private=not params.channel_flags.announce_channel,
            pending=pending,
            confirmations_missing=max(1, DEPTH - self._depth(funding.funding_input)) if pending else 0,
            active=channel.state == "NORMAL" and not pending,
            scid=number_of(scid) if scid and not pending else 0,
            memo=memo,
        )

    def _depth(self, point: str) -> int:
        """Return the confirmations of a funding output that is not spent."""
        txid, _, output = point.partition(":")
        seen = self._rpc.call("gettxout", txid, int(output))
        return int(seen["confirmations"]) if seen else 0


def _ending(channel: wire.Channel, memo: str, waiting: set[str]) -> Ending:
    params, funding, txid = _params(channel), _funding(channel), channel.data.closing()
    opener = params.local_params.is_channel_opener
    return Ending(
        point=funding.funding_input,
        peer=channel.node_id,
        capacity=funding.funding_amount,
        local=funding.local_commit.spec.to_local // _SATOSHI,
        remote=funding.local_commit.spec.to_remote // _SATOSHI,
        initiator=opener,
        private=not params.channel_flags.announce_channel,
        forced=bool(channel.data.local_commit_published or channel.data.remote_commit_published),
        waits=not txid or txid in waiting,
        txid=txid,
        memo=memo if opener else "",
    )


def _params(channel: wire.Channel) -> wire.Params:
    assert channel.data.commitments is not None
    return channel.data.commitments.channel_params


def _funding(channel: wire.Channel) -> wire.Commitment:
    assert channel.data.commitments is not None
    return channel.data.commitments.active[0]


def _reserve(asked: int | None, capacity: int) -> int:
    """Return a reserve; where both ends paid for a channel it is a hundredth."""
    return capacity // 100 if asked is None else asked


def _policy(update: wire.Update) -> Policy:
    return Policy(
        base_fee=update.fee_base_msat,
        fee_rate=update.fee_proportional_millionths,
        time_lock_delta=update.cltv_expiry_delta,
        min_htlc=update.htlc_minimum_msat,
        max_htlc=update.htlc_maximum_msat,
    )
