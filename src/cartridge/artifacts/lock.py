"""`cartridge.lock` against what the documents want: read, write, compare, bring up to date.

`check` is pure but for reading `tools/`; `update` asks each channel and changes only the entries it was told to.
`up` refuses drift; nothing here repairs it unasked.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from cartridge.artifacts import install, making, pins
from cartridge.artifacts.channel import Job, Unserved
from cartridge.artifacts.channels import cargo, go
from cartridge.artifacts.pins import Lock, Pin, Pinned, declaration_digest
from cartridge.artifacts.sources import Sources
from cartridge.artifacts.toolchain import GO
from cartridge.artifacts.tree import sri_from_hex
from cartridge.errors import CartridgeError, InputError
from cartridge.model.artifact import Artifact, CargoChannel, Channel, GoChannel

PLATFORMS = ("darwin-arm64", "darwin-x86_64", "linux-aarch64", "linux-x86_64")
"""Every platform the lock pins, whichever it is run on."""


class Wanted(Struct, frozen=True):
    """What the documents and the engine ask for.

    Attributes:
        artifacts: declarations by name, the engine's own tools included.
        inputs: SHA-256 (hex) of each cartridge and template, by project-relative path.
    """

    artifacts: Mapping[str, Artifact]
    inputs: Mapping[str, str] = field(default_factory=dict)


class Drift(Struct, frozen=True):
    """One thing in which the lock is out of step: an artifact or a path, and why."""

    name: str
    reason: str


class Change(Struct, frozen=True):
    """What `update` did to one pin, or to one input: it has a path for its name, and no platform.

    `kept`, `added`, `updated`, `dropped`; `stale` or `unpinned` could not be asked.
    """

    artifact: str
    platform: str
    channel: str
    version: str
    digest: str
    change: str
    reason: str = ""


def read(path: Path) -> Lock:
    """Return the lock in a file; a file that is not there is an empty lock.

    Raises:
        InputError: `lock-unreadable`.
    """
    try:
        return pins.decode(path.read_bytes(), path.name)
    except FileNotFoundError:
        return Lock()


def write(path: Path, lock: Lock) -> None:
    """Write the lock whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=".lock-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pins.encode(lock))
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def check(lock: Lock, wanted: Wanted, tools: Path, *, whole: bool = False) -> tuple[Drift, ...]:
    """Return everything in which the lock is out of step; nothing where `up` may go on.

    Args:
        lock: as read.
        wanted: what is asked for.
        tools: the folder of Go modules.
        whole: `wanted` is all there is, so what the lock has beyond it is out of step as well.
    """
    found = [drift for name, one in sorted(wanted.artifacts.items()) for drift in _drifts(lock, name, one, tools)]
    for path, digest in sorted(wanted.inputs.items()):
        if path not in lock.inputs:
            found.append(Drift(path, "is not in the lock"))
        elif lock.inputs[path] != sri_from_hex(digest):
            found.append(Drift(path, "was changed since it was locked"))
    if whole:
        found += [
            Drift(name, "is locked, but nothing asks for it")
            for name in sorted(lock.artifacts.keys() - wanted.artifacts.keys())
        ]
        found += [
            Drift(path, "is locked, but is not there") for path in sorted(lock.inputs.keys() - wanted.inputs.keys())
        ]
    return tuple(found)


def refuse_drift(drifts: Collection[Drift]) -> None:
    """Raise InputError `lock-drift` if there is any."""
    if drifts:
        names = " ".join(dict.fromkeys(f"--update {drift.name}" for drift in drifts))
        raise InputError(
            f"`cartridge.lock` is out of step in {len(drifts)} place{'s' if len(drifts) > 1 else ''}",
            code="lock-drift",
            details=tuple(f"`{drift.name}` {drift.reason}" for drift in drifts),
            resolution=f"look at the changes, then run `cartridge lock {names}` and commit the result",
        )


def update(
    lock: Lock, wanted: Wanted, sources: Sources, *, names: Collection[str] | None = None
) -> tuple[Lock, tuple[Change, ...]]:
    """Return the lock brought up to date, and what became of each pin.

    A channel that cannot be asked here (no network, no apt) keeps its pin and is reported as `stale`; one that had
    no pin is reported as `unpinned`.

    Args:
        lock: as read.
        wanted: all there is.
        sources: what the channels may draw on.
        names: artifacts and input paths to refresh; None refreshes all and drops what nothing asks for.

    Raises:
        InputError: `lock-name-unknown`, `artifact-channel-twice`.
    """
    known = {**lock.artifacts, **wanted.artifacts, **lock.inputs, **wanted.inputs}
    for name in names or ():
        if name not in known:
            raise InputError(
                f"nothing called `{name}` is locked or asked for",
                code="lock-name-unknown",
                resolution=f"name one of {', '.join(f'`{one}`' for one in sorted(known))}",
            )
    artifacts, inputs, changes = dict(lock.artifacts), dict(lock.inputs), list[Change]()
    for name in sorted(
        {*artifacts, *wanted.artifacts} if names is None else {*names} & {*artifacts, *wanted.artifacts}
    ):
        declaration = wanted.artifacts.get(name)
        if declaration is None:
            changes += [Change(name, "", "", "", "", "dropped", "nothing asks for it")]
            del artifacts[name]
        else:
            artifacts[name], done = _refreshed(name, declaration, lock, sources)
            changes += done
    for path in sorted({*inputs, *wanted.inputs} if names is None else {*names} & {*inputs, *wanted.inputs}):
        changes.append(_input(path, inputs.pop(path, ""), wanted.inputs.get(path)))
        if path in wanted.inputs:
            inputs[path] = changes[-1].digest
    return Lock(artifacts, inputs), tuple(changes)


def _input(path: str, old: str, digest: str | None) -> Change:
    """Return what becomes of a cartridge or template, given its SHA-256 (hex) or None where it is gone."""
    if digest is None:
        return Change(path, "", "", "", "", "dropped", "it is not there any more")
    new = sri_from_hex(digest)
    return Change(path, "", "", "", new, "kept" if old == new else "updated" if old else "added")


def _drifts(lock: Lock, name: str, declaration: Artifact, tools: Path) -> list[Drift]:
    pinned = lock.artifacts.get(name)
    if pinned is None:
        return [Drift(name, "is not in the lock")]
    if pinned.declaration != declaration_digest(declaration):
        return [Drift(name, "is declared otherwise than when it was locked")]
    for channel in declaration.channels:
        if not isinstance(channel, CargoChannel | GoChannel):
            continue
        wanted = {pin.source for some in pinned.platforms.values() for pin in some if pin.channel == channel.channel}
        try:
            place, now = _source(channel, tools)
        except Unserved as error:
            return [Drift(name, error.reason)]
        if not wanted <= {now}:
            return [Drift(name, f"is built from `tools/{place}`, which was changed since it was locked")]
    return []


def _source(channel: CargoChannel | GoChannel, tools: Path) -> tuple[str, str]:
    """Return the folder under `tools/` a channel builds, and the SRI of what is there now."""
    if isinstance(channel, CargoChannel):
        return channel.crate, cargo.sources_digest(tools / channel.crate)
    return channel.module, go.sources_digest(tools / channel.module, channel)


def _refreshed(name: str, declaration: Artifact, lock: Lock, sources: Sources) -> tuple[Pinned, list[Change]]:
    before = lock.artifacts.get(name, Pinned(""))
    channels: list[Channel | None] = [one for one in declaration.channels if one.channel != "path"]
    kinds = ["wheel"] if name == GO else [one.channel for one in channels if one is not None]
    channels = [None] if name == GO else channels
    if len(set(kinds)) < len(kinds):
        raise InputError(
            f"artifact `{name}` has the same channel twice",
            code="artifact-channel-twice",
            resolution="leave one of them out",
        )
    platforms, changes = dict[str, tuple[Pin, ...]](), list[Change]()
    for platform in PLATFORMS:
        kept = list[Pin]()
        for kind, channel in zip(kinds, channels, strict=True):
            old = before.pin(platform, kind)
            job = Job(name, declaration, channel, old or Pin(kind), platform, lock, sources)
            new, reason = _asked(job, kind)
            pin = new or (old if reason else None)
            if pin is None:
                changes += [Change(name, platform, kind, "", "", "unpinned", reason)] if reason else []
                continue
            pin = _with_results(replace(job, pin=pin))
            kept.append(pin)
            changes.append(_change(job, old, pin, reason))
        if kept:
            platforms[platform] = tuple(kept)
    digest = declaration_digest(declaration)
    if not changes and digest != before.declaration:  # nothing but PATH, which nobody can pin
        changes = [Change(name, "", "", "", digest, "updated" if before.declaration else "added")]
    return Pinned(digest, platforms), changes


def _asked(job: Job, kind: str) -> tuple[Pin | None, str]:
    try:
        return install.maker(kind).pin(job), ""
    except Unserved as error:
        return None, "" if error.is_by_nature else error.reason
    except CartridgeError as error:
        return None, error.brief


def _with_results(job: Job) -> Pin:
    """Return the pin with the digest of what this store built for it, by its toolchain."""
    receipt = making.kept(job)
    if receipt is None or not receipt.made.toolchain:
        return job.pin
    return replace(job.pin, built={**job.pin.built, receipt.made.toolchain: receipt.digest})


def _change(job: Job, old: Pin | None, new: Pin, reason: str) -> Change:
    if reason:
        change = "stale"
    elif old is None:
        change = "added"
    else:
        change = "kept" if old == new else "updated"
    digest = new.source or next(iter(new.packages.values()), "")
    return Change(job.name, job.platform, new.channel, new.version, digest, change, reason)
