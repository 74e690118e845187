"""A set of programs in the store, ready to run here and to go into an image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


class Installed(Struct, frozen=True):
    """An artifact on this machine.

    Attributes:
        artifact: its name in the cartridge.
        version: what it is.
        channel: `path`, `release`, `go`, `cargo`, `debian` or `nix`.
        digest: SRI (`sha256-…`) over the sorted tree of names, modes and bytes.
        root: its folder in the store; read-only.
        binaries: by name, the path that runs it on this machine.
        image_root: a folder that is a whole root file system for these programs and can be an image's only
            layer; None where the programs need this machine's libraries (then an image is made from their
            ELF closure).
        image_binaries: by name, the absolute path inside that image.
    """

    artifact: str
    version: str
    channel: str
    digest: str
    root: Path
    binaries: Mapping[str, Path]
    image_root: Path | None
    image_binaries: Mapping[str, str]
