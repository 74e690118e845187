"""lnd's graph as JSON, as `lncli describegraph` prints it: read into nodes and channels.

A graph says neither who opened a channel nor how it is split: the first node named opens it, and half is pushed.
"""

from __future__ import annotations

import math

from pydantic import AliasChoices, BaseModel, Field, ValidationError

from cartridge.lightning.foreign.imported import (
    Imported,
    ImportedChannel,
    ImportedNode,
    ImportedPolicy,
    counted,
    unreadable,
)


class _Node(BaseModel):
    pub_key: str = Field(validation_alias=AliasChoices("pub_key", "id"))
    alias: str = ""


class _Policy(BaseModel):
    time_lock_delta: int | None = None
    min_htlc: int | None = None
    fee_base_msat: int | None = None
    fee_rate_milli_msat: int | None = None
    max_htlc_msat: int | None = None
    disabled: bool = False


class _Edge(BaseModel):
    channel_id: int = 0
    chan_point: str = ""
    node1_pub: str
    node2_pub: str
    capacity: int | None = None
    node1_policy: _Policy | None = None
    node2_policy: _Policy | None = None


class _Graph(BaseModel):
    nodes: list[_Node]
    edges: list[_Edge]


def read(path: str, name: str, raw: bytes) -> Imported:
    """Return the network in a graph.

    Args:
        path: as the user typed it.
        name: to give it.
        raw: content of the file.

    Raises:
        InputError: `import-unreadable`.
    """
    try:
        graph = _Graph.model_validate_json(raw)
    except ValidationError as error:
        raise unreadable(path, _why(error)) from error
    nodes = tuple(ImportedNode(node.pub_key, node.alias, "lnd") for node in graph.nodes)
    edges = sorted(graph.edges, key=lambda edge: (edge.channel_id or math.inf, edge.chan_point))
    channels = tuple(
        ImportedChannel(edge.node1_pub, edge.node2_pub, edge.capacity or None, None, policies=_policies(edge))
        for edge in edges
    )
    return Imported("describegraph", name, nodes, channels, tuple(_notes(edges)))


def _policies(edge: _Edge) -> dict[str, ImportedPolicy]:
    ends = ((edge.node1_pub, edge.node1_policy), (edge.node2_pub, edge.node2_policy))
    return {
        pubkey: ImportedPolicy(
            policy.fee_base_msat,
            policy.fee_rate_milli_msat,
            policy.time_lock_delta,
            policy.min_htlc or None,
            policy.max_htlc_msat or None,
        )
        for pubkey, policy in ends
        if policy is not None
    }


def _notes(edges: list[_Edge]) -> list[str]:
    policies = [policy for edge in edges for policy in (edge.node1_policy, edge.node2_policy)]
    disabled = sum(policy.disabled for policy in policies if policy is not None)
    unknown = sum(policy is None for policy in policies)
    notes = ["a graph tells no balances: every channel is opened by its first node, which gives half away"]
    if disabled:
        notes.append(f"{counted(disabled, 'channel end')} did not forward and will here")
    if unknown:
        notes.append(f"{counted(unknown, 'channel end')} told no policy and will have its implementation's own")
    return notes if edges else []


def _why(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg'].lower()}"
