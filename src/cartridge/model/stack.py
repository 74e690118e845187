"""A stack: cartridges composed on one target."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cartridge.model.cartridge import Reference, Scalar
from cartridge.model.document import Document, Name, Part, SettingName
from cartridge.model.network import Network


class StackMetadata(Part):
    """What a stack is called."""

    name: Name
    """Lower-case letters, digits and hyphens; a letter first; at most 40 characters."""
    description: str = ""
    """What it is for, in a sentence."""


class Use(Part):
    """One cartridge of the stack, with the values it asks for."""

    cartridge: Reference
    """Which, and the versions that will do: `name@1`, `name@1.2`, `name@^1.2.3`, `name@~1.2`, `name@*`."""
    bindings: dict[SettingName, Scalar] = Field(default_factory=dict)
    """Values for its settings; `profile` chooses one of its profiles."""
    ports: dict[Name, dict[Name, int]] = Field(default_factory=dict)
    """Fixed host ports, by component and port name; free ones are taken otherwise."""


class Stack(Document):
    """A composition: `stacks/<name>.yaml`."""

    kind: Literal["Stack"]
    metadata: StackMetadata
    """What it is called."""
    target: Literal["process", "docker"] = "process"
    """Where it runs; `--target` wins."""
    use: tuple[Use, ...] = Field(min_length=1)
    """The cartridges it is made of; what they require comes by itself."""
    network: Network | None = None
    """The Lightning network to set up on them."""
