"""What the last `up` left: the memory a plan is made against. Frozen, and plain JSON on disk.

Holds digests, ports and names; never a secret, never the content of a file. `deploy.statefile` reads and writes it.
Imports nothing heavy: the unchanged `up` and `ps` start here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

VERSION = 1
"""Of the file's format; a newer one is refused, never guessed."""


@dataclass(frozen=True, slots=True)
class ComponentRecord:
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


@dataclass(frozen=True, slots=True)
class State:
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
        channels: digest by `from-to-index`.
        network: digest of the rest of the network block.
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
    channels: Mapping[str, str] = field(default_factory=dict)
    network: str = ""


def encode(state: State) -> bytes:
    """Return the state as indented JSON with a format version."""
    return json.dumps({"version": VERSION, **asdict(state)}, indent=1).encode() + b"\n"


def decode(raw: bytes) -> State:
    """Return the state written by `encode`.

    Raises:
        ValueError: not JSON, another version, or a field missing.
    """
    body = json.loads(raw)
    if not isinstance(body, dict) or body.pop("version", None) != VERSION:
        raise ValueError("another version of the state's format")
    components = body.pop("components", {})
    try:
        return State(**body, components={name: ComponentRecord(**record) for name, record in components.items()})
    except TypeError as error:
        raise ValueError(str(error)) from error
