"""A stack: cartridges composed on one target."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Literal

from pydantic import Field

from cartridge.model.cartridge import Reference, Scalar
from cartridge.model.document import Document, Name, Part, SettingName
from cartridge.model.network import Network


@unique
class Target(StrEnum):
    """Where a stack runs."""

    PROCESS = "process"  # plain local processes under a guardian
    DOCKER = "docker"  # containers, through Pulumi


class StackMetadata(Part):
    """What a stack is called."""

    name: Name
    description: str = ""


class Use(Part):
    """One cartridge of the stack, with the values it asks for."""

    cartridge: Reference
    bindings: dict[SettingName, Scalar] = Field(default_factory=dict)
    ports: dict[Name, dict[Name, int]] = Field(default_factory=dict)
    """Fixed host ports, by component and port name; free ones are taken otherwise."""


class Stack(Document):
    """A composition: `stacks/<name>.yaml`."""

    kind: Literal["Stack"]
    metadata: StackMetadata
    target: Literal["process", "docker"] = "process"
    use: tuple[Use, ...] = Field(min_length=1)
    network: Network | None = None
