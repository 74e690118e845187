"""Core Lightning as a `Node`: wallet, peers, channels and graph; `cln_payments` has the rest of it.

It has no memo for a channel: the name is stored under the coin that pays for it before it is opened, and found again
by the funding's input. Its graph knows channels by short id alone; the chain tells their funding outputs.
Never decides and never waits for a block.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from contextlib import AbstractContextManager

from cartridge.errors import ApplyError
from cartridge.lightning.nodes import cln_wire as wire
from cartridge.lightning.nodes.cln_calls import FEE_RATE
from cartridge.lightning.nodes.cln_payments import ClnPayments
from cartridge.lightning.nodes.ending import Ending
from cartridge.lightning.nodes.node import Edge, Guest, Info, NodeChannel, Opening, Policy, WalletCoin, not_supported
from cartridge.lightning.nodes.ordinary import nobody_welcome, refuse_special
from cartridge.lightning.nodes.scids import number_of
from cartridge.probes.cln import RefusedError

_SATOSHI = 1_000
_STORE = ("cartridge", "memo")
_PENDING = frozenset({"OPENINGD", "CHANNELD_AWAITING_LOCKIN", "DUALOPEND_AWAITING_LOCKIN"})
_OPEN = frozenset({"CHANNELD_NORMAL", "CHANNELD_AWAITING_SPLICE"})
_CLOSING = frozenset({"CHANNELD_SHUTTING_DOWN", "CLOSINGD_SIGEXCHANGE", "CLOSINGD_COMPLETE"})
_CLOSED = frozenset({"AWAITING_UNILATERAL", "FUNDING_SPEND_SEEN", "ONCHAIN"})
_OVER = "all outputs resolved"
"""How it says of a closed channel that nothing is left to come; it goes on to list it for a hundred blocks."""
_LEFT = re.compile(r" in (\d+) blocks")
_MISSING = re.compile(r"needs (\d+) (?:more )?confirmation")
_FORCE_WITHIN = 1
"""Seconds Core Lightning waits for a peer's agreement to a close that is to be by force; 0 would be for ever."""


class Cln(ClnPayments):
    """A node run by Core Lightning. `Node` says what each method does."""

    def info(self) -> Info:
        """Return what it says of itself."""
        info = self._info()
        return Info(
            info.id, info.alias, info.blockheight, not (info.warning_bitcoind_sync or info.warning_lightningd_sync)
        )

    def coins(self) -> tuple[WalletCoin, ...]:
        """Return the coins of its wallet that nothing has a claim on."""
        height = self._info().blockheight
        funds = wire.Funds.model_validate(self._call("listfunds"))
        return tuple(
            WalletCoin(
                f"{one.txid}:{one.output}",
                one.amount_msat // _SATOSHI,
                0 if one.blockheight is None else height - one.blockheight + 1,
            )
            for one in funds.outputs
            if one.status in {"confirmed", "unconfirmed"} and not one.reserved
        )

    def new_address(self) -> str:
        """Return a fresh address of its wallet."""
        return wire.Address.model_validate(self._call("newaddr", addresstype="bech32")).bech32

    def peers(self) -> frozenset[str]:
        """Return the public keys it is connected to."""
        answer = wire.Peers.model_validate(self._call("listpeers"))
        return frozenset(peer.id for peer in answer.peers if peer.connected)

    def connect(self, pubkey: str, address: str) -> None:
        """Connect to a peer at host:port; no error where it is connected."""
        host, _, port = address.rpartition(":")
        self._call("connect", id=pubkey, host=host, port=int(port))

    def disconnect(self, pubkey: str) -> None:
        """Part from a peer, who may come back by himself; no error where it is not connected."""
        try:
            self._call("disconnect", id=pubkey, force=True)
        except ApplyError as error:
            if not any(sign in error.brief.lower() for sign in ("unknown peer", "peer not connected")):
                raise

    def welcoming(self, guests: Collection[Guest]) -> AbstractContextManager[bool]:
        """Do nothing for no guests, else raise ApplyError (`not-supported`)."""
        return nobody_welcome(self.name, "Core Lightning", guests)

    def open(self, opening: Opening) -> str:
        """Open a channel and return its point once its funding is in the mempool.

        Raises:
            ApplyError: `not-supported`, another type than the ends agree on, or used unconfirmed.
        """
        refuse_special(self.name, "Core Lightning", opening)
        if opening.coin and opening.memo:
            self._remember(opening.coin, opening.memo)
        answer = wire.Opened.model_validate(
            self._call(
                "fundchannel",
                id=opening.peer,
                amount=opening.capacity,
                push_msat=opening.push * _SATOSHI or None,
                announce=not opening.private,
                feerate=FEE_RATE,
                utxos=[opening.coin] if opening.coin else None,
            )
        )
        point = f"{answer.txid}:{answer.outnum}"
        if opening.memo and not opening.coin:
            self._remember(point, opening.memo)
        if opening.base_fee is not None or opening.fee_rate is not None:
            self._call("setchannel", id=answer.channel_id, feebase=opening.base_fee, feeppm=opening.fee_rate)
        return point

    def close(self, point: str, *, force: bool = False) -> str:
        """Close a channel, by agreement or by force, and return the closing txid once that is in the mempool."""
        channel = self._own(point)
        if force:
            self.disconnect(channel.peer_id)
        answer = self._call("close", id=channel.channel_id, unilateraltimeout=_FORCE_WITHIN if force else None)
        closed = wire.Closed.model_validate(answer)
        return closed.txids[-1] if closed.txids else closed.txid

    def channels(self) -> tuple[NodeChannel, ...]:
        """Return its channels, pending ones included."""
        channels = [one for one in self._channels() if one.funding_txid and one.state in _PENDING | _OPEN]
        memos = self._memos(channels)
        return tuple(_channel(one, memos.get(one.point, "")) for one in channels)

    def endings(self) -> tuple[Ending, ...]:
        """Return its channels that are being closed; what closes them it does not tell."""
        going = [one for one in self._channels() if one.funding_txid and one.state in _CLOSING | _CLOSED]
        live = [one for one in going if not any(_OVER in line.lower() for line in one.status)]
        memos = self._memos(live)
        return tuple(_ending(one, memos.get(one.point, "")) for one in live)

    def edges(self) -> tuple[Edge, ...]:
        """Return its view of the network, its own private channels included."""
        me, own = self._info().id, [one for one in self._channels() if one.state in _OPEN and one.short_channel_id]
        mine = {one.short_channel_id for one in own}
        halves: dict[str, list[wire.Half]] = defaultdict(list)
        for half in wire.Graph.model_validate(self._call("listchannels")).channels:
            if half.short_channel_id not in mine:
                halves[half.short_channel_id].append(half)
        return (
            *(Edge(one.point, (me, one.peer_id), (_own(one.updates.local), _own(one.updates.remote))) for one in own),
            *(_edge(self._point(scid), both) for scid, both in halves.items()),
        )

    def set_policy(self, point: str, policy: Policy) -> None:
        """Set the policy of its end of a channel, whose time lock is the node's and must stay as it is."""
        channel = self._own(point)
        known = channel.updates.local
        if known is not None and known.cltv_expiry_delta != policy.time_lock_delta:
            raise not_supported(self.name, "Core Lightning", "time lock for each channel")
        self._call(
            "setchannel",
            id=channel.channel_id,
            feebase=policy.base_fee,
            feeppm=policy.fee_rate,
            htlcmin=policy.min_htlc,
            htlcmax=policy.max_htlc,
            enforcedelay=0,
        )

    def _info(self) -> wire.GetInfo:
        return wire.GetInfo.model_validate(self._call("getinfo"))

    def _own(self, point: str) -> wire.Channel:
        for channel in self._channels():
            if channel.point == point and channel.state in _PENDING | _OPEN:
                return channel
        raise RefusedError(f"`{self.name}` has no channel `{point}`", code="cln-refused")

    def _remember(self, place: str, memo: str) -> None:
        self._call("datastore", key=[*_STORE, place], string=memo, mode="create-or-replace")

    def _memos(self, channels: list[wire.Channel]) -> dict[str, str]:
        """Return the names of the channels this node opened, by point."""
        stored = wire.Store.model_validate(self._call("listdatastore", key=list(_STORE))).datastore
        if not stored:
            return {}
        names = {one.key[-1]: one.string for one in stored}
        transactions = wire.Transactions.model_validate(self._call("listtransactions")).transactions
        spent = {one.hash: [f"{each.txid}:{each.index}" for each in one.inputs] for one in transactions}
        found = {}
        for channel in channels:
            places = [channel.point, *spent.get(channel.funding_txid or "", ())] if channel.opener == "local" else []
            name = next((names[place] for place in places if place in names), None)
            if name is not None:
                found[channel.point] = name
        return found

    def _point(self, scid: str) -> str:
        block, transaction, output = (int(part) for part in scid.split("x"))
        return f"{self._transactions(block)[transaction]}:{output}"


def _channel(channel: wire.Channel, memo: str) -> NodeChannel:
    pending = channel.state in _PENDING
    told = (_MISSING.search(line) for line in channel.status)
    missing = next((int(found[1]) for found in told if found), 1)
    return NodeChannel(
        point=channel.point,
        peer=channel.peer_id,
        capacity=channel.total_msat // _SATOSHI,
        local=channel.to_us_msat // _SATOSHI,
        remote=(channel.total_msat - channel.to_us_msat) // _SATOSHI,
        local_reserve=channel.our_reserve_msat // _SATOSHI,
        remote_reserve=channel.their_reserve_msat // _SATOSHI,
        initiator=channel.opener == "local",
        private=channel.private,
        pending=pending,
        confirmations_missing=missing if pending else 0,
        active=channel.state == "CHANNELD_NORMAL" and channel.peer_connected and channel.reestablished,
        scid=number_of(channel.short_channel_id) if channel.short_channel_id and not pending else 0,
        memo=memo,
        sent=channel.out_fulfilled_msat // _SATOSHI,
        received=channel.in_fulfilled_msat // _SATOSHI,
    )


def _ending(channel: wire.Channel, memo: str) -> Ending:
    told = [int(found[1]) for line in channel.status if (found := _LEFT.search(line))]
    return Ending(
        point=channel.point,
        peer=channel.peer_id,
        capacity=channel.total_msat // _SATOSHI,
        local=channel.to_us_msat // _SATOSHI,
        remote=(channel.total_msat - channel.to_us_msat) // _SATOSHI,
        initiator=channel.opener == "local",
        private=channel.private,
        forced=channel.state == "AWAITING_UNILATERAL" or any("unilateral" in line.lower() for line in channel.status),
        waits=channel.state not in {"FUNDING_SPEND_SEEN", "ONCHAIN"},
        blocks_left=max(told, default=0),
        memo=memo,
    )


def _own(update: wire.Update | None) -> Policy | None:
    if update is None:
        return None
    return Policy(
        base_fee=update.fee_base_msat,
        fee_rate=update.fee_proportional_millionths,
        time_lock_delta=update.cltv_expiry_delta,
        min_htlc=update.htlc_minimum_msat,
        max_htlc=update.htlc_maximum_msat,
    )


def _edge(point: str, halves: list[wire.Half]) -> Edge:
    ends = (halves[0].source, halves[0].destination)
    policies = {
        half.source: Policy(
            base_fee=half.base_fee_millisatoshi,
            fee_rate=half.fee_per_millionth,
            time_lock_delta=half.delay,
            min_htlc=half.htlc_minimum_msat,
            max_htlc=half.htlc_maximum_msat,
        )
        for half in halves
    }
    return Edge(point, ends, (policies.get(ends[0]), policies.get(ends[1])))
