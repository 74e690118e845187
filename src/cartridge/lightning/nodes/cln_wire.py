"""What Core Lightning answers, field for field as it spells them; only the fields that are read.

Amounts end in `_msat` and are millisatoshis. A short channel id is text: `block x transaction x output`.
"""

from __future__ import annotations

from pydantic import AliasChoices, BaseModel, Field


class GetInfo(BaseModel):
    """getinfo: a warning is there while it catches up."""

    id: str
    alias: str
    blockheight: int
    warning_bitcoind_sync: str | None = None
    warning_lightningd_sync: str | None = None


class Output(BaseModel):
    """One output of the wallet."""

    txid: str
    output: int
    amount_msat: int
    status: str
    reserved: bool
    blockheight: int | None = None


class Funds(BaseModel):
    """listfunds."""

    outputs: list[Output]


class Address(BaseModel):
    """newaddr."""

    bech32: str


class Peer(BaseModel):
    """One peer."""

    id: str
    connected: bool


class Peers(BaseModel):
    """listpeers."""

    peers: list[Peer]


class Opened(BaseModel):
    """fundchannel."""

    txid: str
    outnum: int
    channel_id: str


class Update(BaseModel):
    """The policy of one end of an own channel."""

    htlc_minimum_msat: int
    htlc_maximum_msat: int
    cltv_expiry_delta: int
    fee_base_msat: int
    fee_proportional_millionths: int


class Updates(BaseModel):
    """The policies of both ends of an own channel, as far as they are known."""

    local: Update | None = None
    remote: Update | None = None


class Channel(BaseModel):
    """One own channel."""

    peer_id: str
    peer_connected: bool
    reestablished: bool = True
    state: str
    channel_id: str | None = None
    short_channel_id: str | None = None
    funding_txid: str | None = None
    funding_outnum: int = 0
    private: bool = False
    opener: str
    total_msat: int = 0
    to_us_msat: int = 0
    our_reserve_msat: int = 0
    their_reserve_msat: int = 0
    in_fulfilled_msat: int = 0
    out_fulfilled_msat: int = 0
    updates: Updates = Updates()
    status: list[str] = []

    @property
    def point(self) -> str:
        """Its funding output."""
        return f"{self.funding_txid}:{self.funding_outnum}"


class Channels(BaseModel):
    """listpeerchannels."""

    channels: list[Channel]


class Half(BaseModel):
    """One direction of a channel in the graph."""

    source: str
    destination: str
    short_channel_id: str
    base_fee_millisatoshi: int
    fee_per_millionth: int
    delay: int
    htlc_minimum_msat: int
    htlc_maximum_msat: int = 0


class Graph(BaseModel):
    """listchannels."""

    channels: list[Half]


class Made(BaseModel):
    """invoice."""

    bolt11: str
    payment_hash: str


class Decoded(BaseModel):
    """decode, of an invoice."""

    payee: str
    amount_msat: int = 0
    payment_hash: str
    payment_secret: str = ""
    min_final_cltv_expiry: int = 18


class Listed(BaseModel):
    """One invoice of its own."""

    status: str


class Invoices(BaseModel):
    """listinvoices."""

    invoices: list[Listed]


class Hop(BaseModel):
    """One channel of a route: what its source gets (`amount_in_msat`) and how many blocks are left there."""

    short_channel_id_dir: str
    node_id_out: str = Field(validation_alias=AliasChoices("node_id_out", "next_node_id"))
    amount_in_msat: int = Field(validation_alias=AliasChoices("amount_in_msat", "amount_msat"))
    cltv_in: int = Field(validation_alias=AliasChoices("cltv_in", "delay"))


class Route(BaseModel):
    """One part of a payment."""

    amount_msat: int
    final_cltv: int
    path: list[Hop]


class Routes(BaseModel):
    """getroutes."""

    routes: list[Route]


class Failure(BaseModel):
    """What a failed payment says of where it failed."""

    erring_index: int = 0
    failcodename: str = ""
    erring_channel: str = ""
    erring_direction: int = 0


class Closed(BaseModel):
    """close; older versions tell one transaction, newer ones all."""

    txid: str = ""
    txids: list[str] = []


class Stored(BaseModel):
    """One entry of the data store."""

    key: list[str]
    string: str = ""


class Store(BaseModel):
    """listdatastore."""

    datastore: list[Stored]


class Input(BaseModel):
    """What a transaction spends."""

    txid: str
    index: int


class Transaction(BaseModel):
    """One transaction of the wallet."""

    hash: str
    inputs: list[Input]


class Transactions(BaseModel):
    """listtransactions."""

    transactions: list[Transaction]


class Xpaid(BaseModel):
    """xpay and xkeysend."""

    payment_preimage: str
    amount_msat: int
    amount_sent_msat: int
    successful_parts: int
