"""What eclair answers, field for field; only the fields that are read.

Amounts are millisatoshis where their name or meaning says nothing else. A short channel id is text: `103x1x0`; an
outpoint is text: `txid:index`. As of eclair 0.13 and 0.14 (ACINQ/eclair, JsonSerializers.scala).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel


class Wire(BaseModel):
    """An answer, whose fields eclair spells `likeThis`."""

    model_config = ConfigDict(alias_generator=to_camel)


class GetInfo(Wire):
    """getinfo."""

    node_id: str
    alias: str
    block_height: int


class Peer(Wire):
    """One of peers."""

    node_id: str
    state: str


class Update(Wire):
    """A policy as it was announced."""

    class Flags(Wire):
        """Which end announced it."""

        is_node1: bool

    short_channel_id: str
    channel_flags: Flags
    cltv_expiry_delta: int
    htlc_minimum_msat: int
    fee_base_msat: int
    fee_proportional_millionths: int
    htlc_maximum_msat: int


class Described(Wire):
    """One of allchannels: a channel of the graph and its ends."""

    short_channel_id: str
    a: str
    b: str


class Local(Wire):
    """What this end brought into a channel; the reserve is the one it demands of the other end, in satoshis."""

    is_channel_opener: bool
    reserve: int | None = Field(default=None, validation_alias="initialRequestedChannelReserve_opt")


class Remote(Wire):
    """What the other end brought; the reserve is the one it demands of this end, in satoshis."""

    reserve: int | None = Field(default=None, validation_alias="initialRequestedChannelReserve_opt")


class Params(Wire):
    """What stays the same as long as a channel is open."""

    class Flags(Wire):
        """Whether it is announced."""

        announce_channel: bool

    local_params: Local
    remote_params: Remote
    channel_flags: Flags


class Spec(Wire):
    """Who has how much."""

    to_local: int
    to_remote: int


class Commit(Wire):
    """The newest commitment of this end."""

    spec: Spec


class Funding(Wire):
    """How far this end has seen the funding."""

    status: str
    short_channel_id: str | None = None


class Commitment(Wire):
    """A funding of a channel; `funding_amount` in satoshis."""

    funding_input: str
    funding_amount: int
    local_funding: Funding
    local_commit: Commit


class Commitments(Wire):
    """All fundings of a channel, the newest first."""

    channel_params: Params
    active: list[Commitment]


class Transaction(Wire):
    """One transaction that was published."""

    txid: str = Field(validation_alias=AliasChoices("txid", "txId"))


class Published(Wire):
    """A commitment that was published."""

    commit_tx: Transaction


class Data(Wire):
    """What a channel is; the last four are there as it closes."""

    type: str
    commitments: Commitments | None = None
    channel_update: Update | None = None
    published_closing_txs: list[Transaction] = []
    mutual_close_published: list[Transaction] = []
    local_commit_published: Published | None = None
    remote_commit_published: Published | None = None

    def closing(self) -> str:
        """Return the id of a transaction that closes it, "" where none was published."""
        mutual = [*self.mutual_close_published, *self.published_closing_txs]
        forced = [one.commit_tx for one in (self.local_commit_published, self.remote_commit_published) if one]
        return next((one.txid for one in (*mutual, *forced)), "")


class Channel(Wire):
    """One of channels; `data.type` says how far it is, `state` also whether the peer is there."""

    node_id: str
    channel_id: str
    state: str
    data: Data


class Invoice(Wire):
    """createinvoice and parseinvoice."""

    serialized: str
    node_id: str
    payment_hash: str
    amount: int = 0


class Status(Wire):
    """How far a payment has come."""

    class Failure(Wire):
        """Why an attempt failed."""

        failure_message: str = ""

    class Hop(Wire):
        """One channel of its way."""

        node_id: str
        next_node_id: str

    type: Literal["pending", "expired", "received", "sent", "failed"]
    fees_paid: int = 0
    route: list[Hop] = []
    failures: list[Failure] = []


class Received(Wire):
    """getreceivedinfo."""

    status: Status


class Sent(Wire):
    """One of getsentinfo: a part of a payment, with fees left out of `amount`."""

    payment_hash: str
    amount: int
    recipient_amount: int
    status: Status


class Event(Wire):
    """payinvoice, when it waits for the end."""

    type: str
    id: str


class SentToRoute(Wire):
    """sendtoroute."""

    payment_id: str
    parent_id: str


class Route(Wire):
    """One of findroutetonode."""

    short_channel_ids: list[str]


class Routes(Wire):
    """findroutetonode."""

    routes: list[Route]


class Unspent(Wire):
    """One of bitcoind's listunspent; `amount` in whole coins."""

    txid: str
    vout: int
    amount: Decimal
    confirmations: int


CHANNEL, CHANNELS, PEERS = TypeAdapter(Channel), TypeAdapter(list[Channel]), TypeAdapter(list[Peer])
GRAPH, UPDATES, SENT = TypeAdapter(list[Described]), TypeAdapter(list[Update]), TypeAdapter(list[Sent])
UNSPENT, RESULTS = TypeAdapter(list[Unspent]), TypeAdapter(dict[str, str])
