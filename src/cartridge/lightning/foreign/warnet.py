"""Warnet's `network.yaml`, with `node-defaults.yaml` of the same folder where there is one.

A tank without a Lightning node is a bitcoind alone; all of them are one bitcoind here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from cartridge.lightning.foreign.imported import (
    Imported,
    ImportedChannel,
    ImportedNode,
    ImportedPolicy,
    counted,
    unreadable,
)
from cartridge.workspace.parse import parse

DEFAULTS = "node-defaults.yaml"
IMPLEMENTATIONS = ("lnd", "cln", "eclair")
"""Keys under which a tank has a Lightning node, its channels among what is there; our words are the same."""
SUFFIX = "-ln"
"""What Warnet calls the Lightning node of a tank, after the tank's name."""


class _Place(BaseModel):
    block: int = 0
    index: int = 0


class _Policy(BaseModel):
    cltv_expiry_delta: int | None = None
    htlc_minimum_msat: int | None = None
    fee_base_msat: int | None = None
    fee_proportional_millionths: int | None = None
    htlc_maximum_msat: int | None = None


class _Channel(BaseModel):
    id: _Place = _Place()
    target: str
    capacity: int | None = None
    push_amt: int = 0
    source_policy: _Policy | None = None
    target_policy: _Policy | None = None


class _Lightning(BaseModel):
    channels: list[_Channel] = Field(default_factory=list)


class _Tank(BaseModel):
    name: str
    ln: dict[str, bool] = Field(default_factory=dict)
    lnd: _Lightning = _Lightning()
    cln: _Lightning = _Lightning()
    eclair: _Lightning = _Lightning()

    @property
    def implementation(self) -> str | None:
        """Which Lightning node it has."""
        return next((word for word in IMPLEMENTATIONS if self.ln.get(word)), None)

    @property
    def channels(self) -> list[_Channel]:
        """The channels it opens."""
        return {"lnd": self.lnd, "cln": self.cln, "eclair": self.eclair}[self.implementation or "lnd"].channels


class _File(BaseModel):
    nodes: list[_Tank]


_tanks = TypeAdapter(list[dict[str, object]])


def read(path: str, name: str, raw: bytes, defaults: bytes | None) -> Imported:
    """Return the network in a `network.yaml`.

    Args:
        path: as the user typed it.
        name: to give it.
        raw: content of the file.
        defaults: content of the `node-defaults.yaml` beside it, or None.

    Raises:
        InputError: `import-unreadable`.
    """
    data, common = _parsed(path, raw), _parsed(DEFAULTS, defaults) if defaults else {}
    try:
        listed = _tanks.validate_python(data.get("nodes"))
        tanks = _File.model_validate({"nodes": [_merged(common, tank) for tank in listed]}).nodes
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, ("nodes", *first["loc"]))).removeprefix("nodes.nodes").strip(".")
        raise unreadable(path, f"`{where or 'nodes'}`: {first['msg'].lower()}") from error
    nodes = tuple(ImportedNode(tank.name, tank.name, tank.implementation) for tank in tanks if tank.implementation)
    found = sorted(_channels(tanks), key=lambda pair: pair[0])
    return Imported("Warnet", name, nodes, tuple(channel for _, channel in found), tuple(_notes(tanks)))


def _parsed(path: str, raw: bytes) -> Mapping[str, object]:
    data, _, findings = parse(path, raw.decode("utf-8", "replace"))
    if not isinstance(data, dict):
        raise unreadable(path, findings[0].brief if findings else "it is no mapping")
    return data


def _merged(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """Return one mapping put over another, as charts are: mappings are joined, anything else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _channels(tanks: list[_Tank]) -> Iterator[tuple[tuple[int, int], ImportedChannel]]:
    """Yield the channels, with the place in the chain they were meant for."""
    for tank in tanks:
        for channel in tank.channels if tank.implementation else ():
            other = channel.target.removesuffix(SUFFIX)
            written = {tank.name: channel.source_policy, other: channel.target_policy}
            policies = {key: _policy(policy) for key, policy in written.items() if policy is not None}
            place = (channel.id.block, channel.id.index)
            yield (
                place,
                ImportedChannel(tank.name, other, channel.capacity, channel.push_amt, policies=policies),
            )


def _policy(policy: _Policy) -> ImportedPolicy:
    return ImportedPolicy(
        policy.fee_base_msat,
        policy.fee_proportional_millionths,
        policy.cltv_expiry_delta,
        policy.htlc_minimum_msat or None,
        policy.htlc_maximum_msat or None,
    )


def _notes(tanks: list[_Tank]) -> Iterator[str]:
    alone = sum(tank.implementation is None for tank in tanks)
    if alone:
        yield f"left out: {counted(alone, 'tank')} without a Lightning node"
    if len(tanks) > 1:
        yield f"one bitcoind stands for the bitcoinds of {counted(len(tanks), 'tank')}"
    if any(tank.channels for tank in tanks):
        yield "channels are opened in the order of their ids, but at other heights"
