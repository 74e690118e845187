"""What a snapshot says of itself, beside its files: whose data it is, of which programs, and the digest of every file.

Its id is a digest over all of that, so whoever changes anything has another snapshot. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum, unique

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from cartridge.plan.state import State
from cartridge.plan.state import decode as decode_state
from cartridge.plan.state import encode as encode_state

VERSION = 1
"""Of the format; a newer one is refused, never guessed."""
ID_LENGTH = 16
"""Hex digits of an id."""


@unique
class Cause(StrEnum):
    """Why a snapshot was taken."""

    READY = "ready"  # a stack came up from nothing; pruned by itself
    ASKED = "asked"  # somebody asked for it; kept until somebody removes it
    FORK = "fork"  # in passing, for a fork of what runs; gone when the fork is there


class FileRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A file's size in bytes and SHA-256 (hex)."""

    size: int
    sha256: str


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """A snapshot without its files.

    Attributes:
        id: of the snapshot, from everything below but name, cause and created.
        name: what a person called it, or "".
        cause: why it was taken.
        created: ISO 8601 in UTC.
        height: of the chain.
        state: of the stack it was taken of.
        files: by component and path in its data folder.
    """

    id: str
    name: str
    cause: Cause
    created: str
    height: int
    state: State
    files: Mapping[str, Mapping[str, FileRecord]]

    @property
    def stack(self) -> str:
        """The name its stack has in the documents."""
        return self.state.definition or self.state.name

    @property
    def size(self) -> int:
        """The bytes its files would fill."""
        return sum(record.size for files in self.files.values() for record in files.values())

    def sealed(self) -> Manifest:
        """Return the manifest with the id that belongs to it."""
        body = repr((VERSION, self.height, encode_state(self.state), _plain(self.files)))
        return replace(self, id=hashlib.sha256(body.encode()).hexdigest()[:ID_LENGTH])


def encode(manifest: Manifest) -> bytes:
    """Return a manifest as JSON."""
    body = {"version": VERSION, **msgspec.to_builtins(manifest), "state": json.loads(encode_state(manifest.state))}
    return json.dumps(body, indent=1).encode() + b"\n"


def decode(raw: bytes) -> Manifest:
    """Return the manifest written by `encode`.

    Raises:
        NewerError: a later version of the format.
        ValueError: anything else that is no manifest, or one whose id is not its own.
    """
    body = json.loads(raw)
    if not isinstance(body, dict) or not isinstance(version := body.pop("version", None), int):
        raise ValueError("no manifest")
    if version > VERSION:
        raise NewerError(version)
    body["state"] = decode_state(json.dumps(body.get("state")).encode())
    manifest = msgspec.convert(body, Manifest)
    if manifest.sealed().id != manifest.id:
        raise ValueError("its id does not belong to what it says")
    return manifest


class NewerError(Exception):
    """The manifest is of a later version of the format."""

    def __init__(self, version: int) -> None:
        super().__init__(f"version {version}")
        self.version = version


def _plain(value: object) -> object:
    """Return something whose `repr` depends on nothing but what it says."""
    if isinstance(value, Mapping):
        return sorted((str(key), _plain(item)) for key, item in value.items())
    return _plain(asdict(value)) if isinstance(value, FileRecord) else value
