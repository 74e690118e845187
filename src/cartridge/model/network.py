"""A Lightning network as data: nodes, what they hold, and the channels between them."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from cartridge.model.channel_types import ChannelType
from cartridge.model.document import Name, Part
from cartridge.model.generate import Generate
from cartridge.model.quantities import Amount, Duration, Push


class Node(Part):
    """A Lightning node."""

    implementation: Name
    """Which cartridge's component runs it, such as `lnd`."""
    alias: str | None = Field(default=None, max_length=32)
    """The name it announces; its own name otherwise."""
    balance: Amount = 100_000_000_000
    """What it is given on the chain, beside the coins of its channels."""


class Policy(Part):
    """What one side asks for forwarding over a channel; what is left out keeps the implementation's default."""

    base_fee: Amount | None = None
    """For each payment."""
    fee_rate: int | None = Field(default=None, ge=0, le=1_000_000)
    """Parts per million of the forwarded amount."""
    time_lock_delta: int | None = Field(default=None, ge=18, le=2016)
    """Blocks."""
    min_htlc: Amount | None = None
    """The least it forwards at once."""
    max_htlc: Amount | None = None
    """The most it forwards at once."""


class Channel(Part):
    """A channel, funded by `from`."""

    from_: Name = Field(alias="from")
    """The node that opens and funds it."""
    to: Name
    """The node at the other end."""
    capacity: Amount
    """What it holds, at least `20_000 sat`."""
    push: Push = 0
    """Given to `to` at the start: a share of the capacity, or an amount."""
    policies: dict[Name, Policy] = Field(default_factory=dict)
    """By node: the policy of that end."""
    private: bool = False
    """Whether it is kept from the network's gossip."""
    zero_conf: bool = False
    """Whether it is used before it is confirmed, where both implementations can."""
    type: ChannelType | None = None
    """Its commitments; None leaves it to the two ends."""


class Network(Part):
    """The Lightning network of a stack."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["nodes"]}, {"required": ["generate"]}]})

    generate: Generate | None = None
    """Nodes and channels of a shape, beside those written here; what is written here wins."""
    nodes: dict[Name, Node] = Field(default_factory=dict)
    """By name; a component of the node's implementation runs under it. Needed where nothing is generated."""
    channels: tuple[Channel, ...] = ()
    """Opened once every node is funded; two nodes may share several."""
    block_interval: Duration | None = None
    """Mine a block this often once up; None mines only on demand."""
    probe: Literal["every-channel", "none"] = "every-channel"
    """The payments that must pass before the network is ready."""
