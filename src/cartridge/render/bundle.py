"""What rendering produces: for each component its command, environment and files, with a digest."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class RenderedFile(Struct, frozen=True):
    """One file: path relative to the component's configuration folder, bytes and mode (octal)."""

    path: str
    content: bytes
    mode: int = 0o644


class RenderedComponent(Struct, frozen=True):
    """What one component runs with.

    Attributes:
        name: the component.
        command: program (an absolute path in the place it runs) and arguments.
        environment: variables; secret references not yet resolved.
        files: in order.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    files: tuple[RenderedFile, ...]


class Bundle(Struct, frozen=True):
    """Everything rendered for a stack; `digest` is SHA-256 (hex) over names, modes and bytes."""

    components: Mapping[str, RenderedComponent]
    digest: str
