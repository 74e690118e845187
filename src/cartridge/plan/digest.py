"""SHA-256 over what something is: equal digests mean equal things, on every machine. Pure.

A value is written as canonical JSON first (sorted keys, no spaces, models by their fields), so that neither
the order of a mapping nor the spelling of a document matters.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from msgspec import Struct
from pydantic import BaseModel

from cartridge.model.quantities import Share
from cartridge.workspace.resolved import ResolvedComponent, ResolvedStack


def digest(value: object) -> str:
    """Return the SHA-256 (hex) of `value`: JSON scalars, mappings, sequences, records or models.

    Raises:
        TypeError: something in it has no canonical form.
    """
    canonical = json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def component_parts(stack: ResolvedStack, component: ResolvedComponent, pins: Mapping[str, str]) -> dict[str, str]:
    """Return a digest for each thing that decides what a component is, by a word fit for a reason.

    Args:
        stack: holds the templates and the network.
        component: whose parts.
        pins: by artifact, the digest of its entry in the lock.
    """
    return {
        "program": digest([component.artifact, pins.get(component.artifact, "")]),
        "command": digest([component.command, component.environment]),
        "settings": digest(component.settings),
        "templates": digest([(file, stack.templates[file.template].text) for file in component.files]),
        "ports": digest([component.ports, component.fixed_ports]),
        "dependencies": digest(component.depends_on),
        "stop": digest(component.stop),
        "node": digest(stack.network.nodes[component.node].alias if stack.network and component.node else None),
    }


def plain(value: object) -> object:
    """Return `value` as JSON has it: mappings, lists and scalars.

    Raises:
        TypeError: something in it has no canonical form.
    """
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Share):
        return {"parts_per_million": int(value)}  # told apart from as many millisatoshis
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{type(value).__name__} has no canonical form")
