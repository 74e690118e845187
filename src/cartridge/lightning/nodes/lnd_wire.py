"""What lnd answers, field for field as it spells them; only the fields that are read. Numbers come as text there."""

from __future__ import annotations

from typing import TypeVar

from msgspec import Struct, convert

_Kind = TypeVar("_Kind")


def read(answer: object, kind: type[_Kind]) -> _Kind:
    """Return an answer of lnd as what it is; ValueError where it is not."""
    return convert(answer, kind, strict=False)


class GetInfo(Struct, frozen=True):
    """GET /v1/getinfo."""

    identity_pubkey: str
    alias: str
    block_height: int
    synced_to_chain: bool


class OutPoint(Struct, frozen=True):
    """An output of a transaction."""

    txid_str: str
    output_index: int


class Utxo(Struct, frozen=True):
    """One unspent output."""

    amount_sat: int
    outpoint: OutPoint
    confirmations: int


class Unspent(Struct, frozen=True):
    """GET /v1/utxos."""

    utxos: list[Utxo]


class NewAddress(Struct, frozen=True):
    """GET /v1/newaddress."""

    address: str


class Peer(Struct, frozen=True):
    """One connected peer."""

    pub_key: str


class Peers(Struct, frozen=True):
    """GET /v1/peers."""

    peers: list[Peer]


class OpenedChannel(Struct, frozen=True):
    """POST /v1/channels; the txid is base64 of its bytes, reversed."""

    funding_txid_bytes: str
    output_index: int


class ClosePending(Struct, frozen=True):
    """The closing transaction is broadcast; its txid is base64 of its bytes, reversed."""

    txid: str


class Closing(Struct, frozen=True):
    """DELETE /v1/channels/…: the first message of the stream."""

    close_pending: ClosePending


class Constraints(Struct, frozen=True):
    """What one end of a channel must keep to."""

    chan_reserve_sat: int


class Channel(Struct, frozen=True):
    """One open channel."""

    active: bool
    remote_pubkey: str
    channel_point: str
    chan_id: int
    capacity: int
    local_balance: int
    remote_balance: int
    total_satoshis_sent: int
    total_satoshis_received: int
    local_constraints: Constraints
    remote_constraints: Constraints
    initiator: bool
    private: bool
    memo: str
    commitment_type: str
    zero_conf: bool
    zero_conf_confirmed_scid: int
    alias_scids: list[int]


class Channels(Struct, frozen=True):
    """GET /v1/channels."""

    channels: list[Channel]


class PendingChannel(Struct, frozen=True):
    """The common part of a pending channel."""

    remote_node_pub: str
    channel_point: str
    capacity: int
    local_balance: int
    remote_balance: int
    local_chan_reserve_sat: int
    remote_chan_reserve_sat: int
    initiator: str
    private: bool
    memo: str
    commitment_type: str


class PendingOpen(Struct, frozen=True):
    """A channel whose funding waits for blocks."""

    channel: PendingChannel
    confirmations_until_active: int


class Pending(Struct, frozen=True):
    """GET /v1/channels/pending."""

    pending_open_channels: list[PendingOpen]


class PendingClose(Struct, frozen=True):
    """A channel whose forced close is in the chain."""

    channel: PendingChannel
    closing_txid: str
    blocks_til_maturity: int = 0


class Commitments(Struct, frozen=True):
    """The transactions that close a channel by force."""

    local_txid: str
    remote_txid: str


class WaitingClose(Struct, frozen=True):
    """A channel whose closing transaction is not confirmed often enough; its height is 0 in the mempool."""

    channel: PendingChannel
    commitments: Commitments
    closing_txid: str
    close_height: int
    blocks_til_close_confirmed: int


class PendingCloses(Struct, frozen=True):
    """GET /v1/channels/pending, its other part."""

    pending_force_closing_channels: list[PendingClose]
    waiting_close_channels: list[WaitingClose]


class ClosedChannel(Struct, frozen=True):
    """A channel that was closed."""

    channel_point: str
    close_type: str


class ClosedChannels(Struct, frozen=True):
    """GET /v1/channels/closed."""

    channels: list[ClosedChannel]


class RoutingPolicy(Struct, frozen=True):
    """The policy of one end in the graph."""

    time_lock_delta: int
    min_htlc: int
    fee_base_msat: int
    fee_rate_milli_msat: int
    max_htlc_msat: int
    disabled: bool


class GraphEdge(Struct, frozen=True):
    """One channel in the graph."""

    chan_point: str
    node1_pub: str
    node2_pub: str
    node1_policy: RoutingPolicy | None
    node2_policy: RoutingPolicy | None


class Graph(Struct, frozen=True):
    """GET /v1/graph."""

    edges: list[GraphEdge]


class FailedUpdate(Struct, frozen=True):
    """A policy that was refused."""

    update_error: str


class PolicyUpdate(Struct, frozen=True):
    """POST /v1/chanpolicy."""

    failed_updates: list[FailedUpdate]


class AddedInvoice(Struct, frozen=True):
    """POST /v1/invoices; the hash is base64."""

    payment_request: str
    r_hash: str


class HoldInvoice(Struct, frozen=True):
    """POST /v2/invoices/hodl."""

    payment_request: str


class InvoiceLook(Struct, frozen=True):
    """GET /v1/invoice/…."""

    state: str


class PayReq(Struct, frozen=True):
    """GET /v1/payreq/…."""

    destination: str
    num_msat: int
    payment_hash: str


class Hop(Struct, frozen=True):
    """A step of a way: the channel, and the node it leads to."""

    chan_id: int
    pub_key: str


class Route(Struct, frozen=True):
    """The way of one attempt."""

    hops: list[Hop]


class Failure(Struct, frozen=True):
    """Why an attempt came back, and which node of the way says so; 0 is the payer."""

    code: str
    failure_source_index: int


class Attempt(Struct, frozen=True):
    """One attempt of a payment."""

    status: str
    route: Route
    failure: Failure | None = None


class SentPayment(Struct, frozen=True):
    """POST /v2/router/send: the last message of the stream."""

    payment_hash: str
    value_msat: int
    fee_msat: int
    status: str
    failure_reason: str
    htlcs: list[Attempt]
