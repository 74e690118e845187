"""Where a program may come from: channels, tried in the order written, each pinned in `cartridge.lock`.

Never says which channel was used: that is the lock's and the store's to record.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from cartridge.model.document import Name, Part

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class VersionCheck(Part):
    """How to find out a program's version, and which versions will do."""

    command: tuple[str, ...]
    """Arguments after the program's own name, such as `[--version]`."""
    pattern: str
    """A regular expression over what it prints; the first group is the version."""
    accepts: str
    """A range such as `>=28, <32`."""


class PathChannel(Part):
    """A program already installed, found on PATH; used where its version fits."""

    channel: Literal["path"]


class Archive(Part):
    """One platform's release archive."""

    url: str
    """`https://`, `http://` or `file://`; `CARTRIDGE_MIRROR` may replace the host."""
    sha256: Sha256
    """Digest of the archive's bytes, checked before anything is unpacked."""


class ReleaseChannel(Part):
    """The project's own release archives, pinned by SHA-256."""

    channel: Literal["release"]
    version: str
    archives: dict[str, Archive]
    """By platform: `linux-x86_64`, `linux-aarch64`, `darwin-x86_64`, `darwin-arm64`."""
    folder: str = ""
    """Folder inside the archive that holds the binaries."""


class GoChannel(Part):
    """A build from Go modules pinned by a go.mod and go.sum of ours."""

    channel: Literal["go"]
    module: str
    """Folder under `tools/` that holds go.mod and go.sum."""
    version: str
    packages: dict[str, str]
    """Binary's name to the Go package it is built from."""
    tags: tuple[str, ...] = ()
    ldflags: str = "-s -w"


class CargoChannel(Part):
    """A build of a Rust crate of ours, pinned by its Cargo.lock; only for the machine it is built on."""

    channel: Literal["cargo"]
    crate: str
    """Folder under `tools/` that holds Cargo.toml and Cargo.lock."""
    version: str


class DebianChannel(Part):
    """A package and everything it needs, unpacked from Debian's signed archive into a folder of its own."""

    channel: Literal["debian"]
    suite: str
    package: str
    moved: Literal["refuse", "signed"] = "refuse"
    """When the suite no longer has the pinned version: `refuse`, or take its `signed` successor and say so."""


class NixChannel(Part):
    """An attribute of a pinned nixpkgs, built or substituted by an installed nix."""

    channel: Literal["nix"]
    attribute: str
    revision: str
    """The commit of nixpkgs."""
    source: str = ""
    """SRI of that commit's unpacked tree (nix's `narHash`); found out by `cartridge lock` where it is left out."""


Channel = Annotated[
    PathChannel | ReleaseChannel | GoChannel | CargoChannel | DebianChannel | NixChannel,
    Field(discriminator="channel"),
]


class Artifact(Part):
    """A set of programs a cartridge needs."""

    binaries: tuple[Name, ...] = Field(min_length=1)
    """The programs that must be there; the first one tells the version."""
    version: VersionCheck | None = None
    channels: tuple[Channel, ...] = Field(min_length=1)
