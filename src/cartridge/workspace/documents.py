"""What a workspace holds: the documents by name, each with its source, and the templates they name. Frozen."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from cartridge.errors import Finding
from cartridge.model.cartridge import Cartridge
from cartridge.model.network import Network
from cartridge.model.stack import Stack
from cartridge.workspace.source import Source


class CartridgeFile(Struct, frozen=True):
    """A cartridge with where its keys and values stand."""

    document: Cartridge
    source: Source

    @property
    def name(self) -> str:
        """Its name."""
        return self.document.metadata.name

    @property
    def identity(self) -> str:
        """`name@version`."""
        return f"{self.document.metadata.name}@{self.document.metadata.version}"


class StackFile(Struct, frozen=True):
    """A stack with where its keys and values stand, and its network with everything generated in it."""

    document: Stack
    source: Source
    network: Network | None

    @property
    def name(self) -> str:
        """Its name."""
        return self.document.metadata.name


class Workspace(Struct, frozen=True):
    """Every document that was read.

    Attributes:
        cartridges: by name, then by version.
        stacks: by name.
        templates: the ones that cartridges name and that are there, by name.
        inputs: SHA-256 (hex) of every file it was read from (see `inputs.inputs`).
        broken: names of documents that could not be read, so that nobody calls them unknown.
        warnings: findings that forbid nothing.
    """

    cartridges: Mapping[str, Mapping[str, CartridgeFile]] = field(default_factory=dict)
    stacks: Mapping[str, StackFile] = field(default_factory=dict)
    templates: Mapping[str, Source] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    warnings: tuple[Finding, ...] = ()

    def every_cartridge(self) -> tuple[CartridgeFile, ...]:
        """Return all versions of all cartridges, by name."""
        return tuple(file for versions in self.cartridges.values() for file in versions.values())
