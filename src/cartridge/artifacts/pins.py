"""`cartridge.lock` as data: for each artifact and platform what each channel must deliver.

Read and written as JSON with one fact a line, in a stable order, so that a change reads well in review.
Never compares or refreshes: that is `lock`'s.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from cartridge.artifacts.tree import sri
from cartridge.errors import InputError

if TYPE_CHECKING:
    from cartridge.model.artifact import Artifact, Channel

FORMAT = 1


class Pin(Struct, frozen=True):
    """What one channel must deliver on one platform.

    Attributes:
        channel: `release`, `go`, `cargo`, `debian`, `nix` or (for the Go toolchain only) `wheel`.
        version: what it is called there.
        source: SRI of what comes in as one piece: an archive, what of ours is built, nixpkgs; "" where unknown.
        packages: SRI of each piece where there are several: path in Debian's archive, or a wheel's file name.
        built: SRI of the result by the toolchain that built it; others are recorded in the receipt alone.
    """

    channel: str
    version: str = ""
    source: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    built: Mapping[str, str] = field(default_factory=dict)


class Pinned(Struct, frozen=True):
    """One artifact in the lock: SRI of its declaration, and its pins by platform, in the order they are tried."""

    declaration: str
    platforms: Mapping[str, tuple[Pin, ...]] = field(default_factory=dict)

    def pin(self, platform: str, channel: str) -> Pin | None:
        """Return the pin of a channel on a platform, or None."""
        return next((pin for pin in self.platforms.get(platform, ()) if pin.channel == channel), None)


class Lock(Struct, frozen=True):
    """The whole file.

    Attributes:
        artifacts: by name.
        inputs: SRI of each cartridge and template, by project-relative path.
    """

    artifacts: Mapping[str, Pinned] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)

    def artifact(self, name: str, declaration: Artifact) -> Pinned:
        """Return what the lock says about an artifact declared like this.

        Raises:
            InputError: `lock-drift`, it is not in the lock, or was declared otherwise when it was locked.
        """
        pinned = self.artifacts.get(name)
        if pinned is None or pinned.declaration != declaration_digest(declaration):
            what = "is not in" if pinned is None else "was declared otherwise in"
            raise InputError(
                f"artifact `{name}` {what} `cartridge.lock`",
                code="lock-drift",
                resolution=f"run `cartridge lock --update {name}` and commit the result",
            )
        return pinned


def declaration_digest(declaration: Artifact) -> str:
    """Return the SRI of an artifact's declaration; fields left at their default do not count."""
    return sri(hashlib.sha256(declaration.model_dump_json(exclude_defaults=True).encode()).digest())


def request_key(name: str, platform: str, declaration: Artifact, channel: Channel | None, pin: Pin) -> str:
    """Return the receipt key of what is asked for: anything that may change the result changes the key."""
    asked = [FORMAT, name, platform, declaration.binaries, pin.channel, pin.version, pin.source, dict(pin.packages)]
    how = "" if channel is None else channel.model_dump_json(exclude_defaults=True)
    return hashlib.sha256(json.dumps([*asked, how], sort_keys=True).encode()).hexdigest()[:40]


def decode(raw: bytes, path: str = "cartridge.lock") -> Lock:
    """Return the lock written as `raw`.

    Raises:
        InputError: `lock-unreadable`, it is no lock, or one of a newer format.
    """
    try:
        body = json.loads(raw or b"{}")
        if body.pop("format", FORMAT) != FORMAT:
            raise _unreadable(path, f"this version reads format {FORMAT}, and it has another")
        artifacts = {name: _decode_pinned(one) for name, one in body.get("artifacts", {}).items()}
        return Lock(artifacts, dict(body.get("inputs", {})))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: str, why: str) -> InputError:
    return InputError(
        f"`{path}` cannot be read: {why}",
        code="lock-unreadable",
        resolution="take it from version control again, or remove it and run `cartridge lock`",
    )


def encode(lock: Lock) -> bytes:
    """Return the lock as the text of the file."""
    artifacts = {name: _encode_pinned(lock.artifacts[name]) for name in sorted(lock.artifacts)}
    body = {"format": FORMAT, "artifacts": artifacts, "inputs": dict(sorted(lock.inputs.items()))}
    return json.dumps(body, indent=2, ensure_ascii=False).encode() + b"\n"


def _decode_pinned(body: Mapping[str, object]) -> Pinned:
    platforms = body["platforms"]
    assert isinstance(platforms, dict)
    return Pinned(
        str(body["declaration"]), {name: tuple(Pin(**pin) for pin in pins) for name, pins in platforms.items()}
    )


def _encode_pinned(pinned: Pinned) -> dict[str, object]:
    platforms = {name: [_encode_pin(pin) for pin in pinned.platforms[name]] for name in sorted(pinned.platforms)}
    return {"declaration": pinned.declaration, "platforms": platforms}


def _encode_pin(pin: Pin) -> dict[str, object]:
    several = {"packages": dict(sorted(pin.packages.items())), "built": dict(sorted(pin.built.items()))}
    whole = {"channel": pin.channel, "version": pin.version, "source": pin.source, **several}
    return {key: value for key, value in whole.items() if value}
