"""How a network is generated: a shape and its sizes, as written. `workspace.expand` makes nodes and channels of it."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from cartridge.model.document import Name, Part
from cartridge.model.quantities import Amount, Push, parse_share

MOST_NODES, MOST_CHANNELS = 1_000, 10_000
"""What one generator may make; what a machine carries is far less."""


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


SCALE_FREE: Final = "scale-free"
"""The shape in which few nodes have many channels and many have few, as on the real network."""

Dealt = Annotated[
    tuple[Name, ...],
    Field(min_length=1),
    BeforeValidator(_listed),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"},
                {"type": "array", "minItems": 1, "items": {"type": "string"}},
            ],
            "examples": ["lnd"],
        }
    ),
]
"""One name for all, or a list that is dealt round."""


class Generate(Part):
    """Nodes and channels of a shape; what is written by hand is added to them and wins over them."""

    shape: Literal["line", "ring", "star", "mesh", "random", "scale-free"]
    """`line`, `ring`, `star` (around the first node), `mesh` (each with each), `random` or `scale-free`."""
    nodes: int = Field(ge=2, le=MOST_NODES)
    """How many; nodes written by hand that have no generated name are beside them."""
    channels: int | None = Field(default=None, ge=1, le=MOST_CHANNELS)
    """How many, for `random` and `scale-free`; about twice as many as nodes otherwise."""
    seed: int = Field(default=0, ge=0)
    """Decides what chance decides: the same seed gives the same network, anywhere."""
    implementation: Dealt = ("lnd",)
    """Of the nodes: one for all, or a list that is dealt round in order."""
    prefix: Name = "n"
    """The nodes are called this and a number from 1."""
    names: tuple[Name, ...] = ()
    """Names for the first nodes, instead of the prefix and a number."""
    balance: Amount = 100_000_000_000
    """On-chain balance of each node after every channel is funded."""
    capacity: Amount = 10_000_000_000
    """Of each channel."""
    push: Push = Field(default_factory=lambda: parse_share("50%"))
    """What the opener gives away at the start, a share of the capacity or an amount; `50%` otherwise."""
    private: bool = False
    """Whether the channels are kept from the network's gossip."""
