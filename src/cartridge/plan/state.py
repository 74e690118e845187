"""What the last `up` left: the memory a plan is made against. Frozen, and plain JSON on disk.

Holds digests, ports and names; never a secret, never the content of a file. `deploy.statefile` reads and writes it.
Imports nothing heavy: the unchanged `up` and `ps` start here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec
from msgspec import Struct, field

VERSION = 1
"""Of the file's format; a newer one is refused, never guessed."""


class ComponentRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A component as it was applied.

    Attributes:
        kind: the component's name in its cartridge.
        digest: over all its parts.
        parts: digest of each part, by its word (see `plan.digest.component_parts`).
        ports: host ports by name.
        node: whether it embodies a node of the network.
    """

    kind: str
    digest: str
    parts: Mapping[str, str]
    ports: Mapping[str, int] = field(default_factory=dict)
    node: bool = False


class ChannelRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A channel as it was written at the last `up`, and where it is.

    Attributes:
        opener: the node that funded it.
        acceptor: the node at the other end.
        capacity: in millisatoshis.
        private: whether it is kept from the network's gossip.
        push: what the other end was given: `500000 ppm` of the capacity, or `1000 msat`.
        policies: by node, what was written of the policy of that end; fees and limits in millisatoshis.
        zero_conf: whether it was to be used before it was confirmed.
        type: of its commitments; "" where that was left to its ends.
        rest: digest of all that is not the above, and of the last two.
        point: its funding output, or "" where that is not known.
    """

    opener: str
    acceptor: str
    capacity: int
    private: bool = False
    push: str = "0 msat"
    policies: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    rest: str = ""
    point: str = ""
    zero_conf: bool = False
    type: str = ""


class State(Struct, frozen=True, forbid_unknown_fields=True):
    """What was applied last to one stack.

    Attributes:
        stack: id, unique on this machine.
        name: `metadata.name`.
        target: where it runs.
        created: ISO 8601 in UTC.
        expires: ISO 8601 in UTC, or "".
        fingerprint: SHA-256 (hex) over every input file and flag of the last `up`.
        digest: the plan's.
        ready: whether the last `up` reached ready.
        components: by name.
        channels: by `from-to-index`.
        network: digest of the rest of the network block.
        programs: version by artifact.
        definition: of a fork, the stack's name in the documents; "" for what is called so itself.
        restoring: id of the snapshot its data comes from, until it is ready for the first time; else "".
        given: millisatoshis each node was given on the chain, beside the coins of its channels.
        promised: addresses of nodes that are about to be given more; empty once that is written down.
        undone: height of the chain before a reorganisation that has begun and not ended; else 0.
    """

    stack: str
    name: str
    target: str
    created: str
    expires: str = ""
    fingerprint: str = ""
    digest: str = ""
    ready: bool = False
    components: Mapping[str, ComponentRecord] = field(default_factory=dict)
    channels: Mapping[str, ChannelRecord] = field(default_factory=dict)
    network: str = ""
    programs: Mapping[str, str] = field(default_factory=dict)
    definition: str = ""
    restoring: str = ""
    given: Mapping[str, int] = field(default_factory=dict)
    promised: Mapping[str, str] = field(default_factory=dict)
    undone: int = 0


def encode(state: State) -> bytes:
    """Return the state as indented JSON with a format version."""
    return json.dumps({"version": VERSION, **msgspec.to_builtins(state)}, indent=1).encode() + b"\n"


def decode(raw: bytes) -> State:
    """Return the state written by `encode`.

    Raises:
        ValueError: not JSON, another version, or a field missing.
    """
    body = json.loads(raw)
    if not isinstance(body, dict) or body.pop("version", None) != VERSION:
        raise ValueError("another version of the state's format")
    if isinstance(channels := body.get("channels"), dict):
        # one that is a digest was written by an older release: `up` finds such a channel on the nodes
        body["channels"] = {name: record for name, record in channels.items() if isinstance(record, dict)}
    return msgspec.convert(body, State)
