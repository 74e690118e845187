"""From a declaration to programs on this machine: PATH, then the store, then each channel in the order written.

A warm start costs a few looks at the file system; only what is missing is made, downloads side by side and builds one
after another. Refuses what the lock does not pin. Never writes the lock and never touches a document.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from cartridge.artifacts import making
from cartridge.artifacts.channel import Job, Maker, Unserved
from cartridge.artifacts.channels import path
from cartridge.artifacts.installed import Installed
from cartridge.artifacts.pins import Lock
from cartridge.artifacts.receipt import Receipt
from cartridge.artifacts.sources import Sources, image_platform
from cartridge.errors import CartridgeError, MissingError
from cartridge.model.artifact import Artifact, Channel

_REASONS = frozenset({"program-failed", "program-missing", "program-timeout"})
"""Errors of a channel's helper programs: a reason to try the next channel, not to give up."""

_GRACE = 5.0
"""Seconds that downloads get to break off when a build has failed or was interrupted."""


class _Search(Struct):
    """One artifact that is looked for, and why each way has failed so far."""

    name: str
    declaration: Artifact
    platform: str
    reasons: list[str] = field(default_factory=list)
    resolutions: list[str] = field(default_factory=list)
    damage: str = ""


def ensure(name: str, declaration: Artifact, lock: Lock, sources: Sources, *, for_image: bool = False) -> Installed:
    """Return the artifact on this machine, fetched or built first where it is not there yet.

    Args:
        name: as its cartridge calls it.
        declaration: what its cartridge says.
        lock: what it is pinned to.
        sources: the store and the rest.
        for_image: it is wanted for a container image: built for Linux, and never taken from PATH.

    Raises:
        InputError: `lock-drift`.
        MissingError: `artifact-unavailable` with one reason a channel, `artifact-digest-mismatch`, `store-full`.
    """
    search = _search(name, declaration, sources, for_image=for_image)
    return _ready(search, lock, sources, for_image=for_image) or _make(search, lock, sources)


def ensure_all(
    wanted: Mapping[str, Artifact], lock: Lock, sources: Sources, *, for_image: bool = False
) -> dict[str, Installed]:
    """Return every artifact on this machine, by name; downloads run beside the builds.

    Raises: as `ensure`, for the first that failed; the others are finished or broken off first.
    """
    found: dict[str, Installed] = {}
    missing: list[_Search] = []
    for name, declaration in wanted.items():
        search = _search(name, declaration, sources, for_image=for_image)
        ready = _ready(search, lock, sources, for_image=for_image)
        if ready is None:
            missing.append(search)
        else:
            found[name] = ready
    builds = [search for search in missing if _is_built(search.declaration)]
    downloads = [search for search in missing if not _is_built(search.declaration)]
    if missing:
        found |= _make_all(builds, downloads, lock, sources)
    return {name: found[name] for name in wanted}


def jobs(name: str, declaration: Artifact, platform: str, lock: Lock, sources: Sources) -> Iterator[Job]:
    """Yield a job for each channel the lock pins on `platform`, in the order written."""
    pinned = lock.artifact(name, declaration)
    for channel in declaration.channels:
        pin = pinned.pin(platform, channel.channel)
        if pin is not None:
            yield Job(name, declaration, channel, pin, platform, lock, sources)


def maker(channel: str) -> Maker:
    """Return the channel called so; its module is imported only now."""
    from cartridge.artifacts.channels import cargo, debian, go, nix, release, wheel

    makers: dict[str, Maker] = {
        "cargo": cargo,
        "debian": debian,
        "go": go,
        "nix": nix,
        "release": release,
        "wheel": wheel,
    }
    return makers[channel]


def _search(name: str, declaration: Artifact, sources: Sources, *, for_image: bool) -> _Search:
    return _Search(name, declaration, image_platform(sources.platform) if for_image else sources.platform)


def _ready(search: _Search, lock: Lock, sources: Sources, *, for_image: bool) -> Installed | None:
    """Return what PATH or the store has; note why they have it not."""
    if not for_image and any(channel.channel == "path" for channel in search.declaration.channels):
        lock.artifact(search.name, search.declaration)
        try:
            return path.find(search.name, search.declaration, sources)
        except Unserved as error:
            search.reasons.append(f"path: {error.reason}")
    for job in jobs(search.name, search.declaration, search.platform, lock, sources):
        receipt = sources.store.receipt(making.key(job))
        if receipt is None:
            continue
        damage = sources.store.damage(receipt)
        if not damage:
            return receipt.installed(sources.store.entries)
        search.damage = f"the store's copy is damaged: {damage}"
        sources.recorder.note(f"`{search.name}`: {search.damage}; it is made again", level="warning")
        sources.store.discard(receipt)
    return None


def _make(search: _Search, lock: Lock, sources: Sources) -> Installed:
    with sources.recorder.step(f"artifact/{search.name}", f"{search.name}: installing") as step:
        by_channel = {
            job.pin.channel: job for job in jobs(search.name, search.declaration, search.platform, lock, sources)
        }
        for channel in search.declaration.channels:
            receipt = _try(search, channel, by_channel.get(channel.channel))
            if receipt is not None:
                step.note = f"{receipt.made.version} from {receipt.channel}"
                return receipt.installed(sources.store.entries)
        raise _unavailable(search)


def _try(search: _Search, channel: Channel, job: Job | None) -> Receipt | None:
    kind = channel.channel
    if kind == "path":
        return None
    if job is None:
        search.reasons.append(f"{kind}: `cartridge.lock` pins nothing for {search.platform}")
        search.resolutions.append(f"run `cartridge lock --update {search.name}`")
        return None
    try:
        return making.obtain(job, maker(kind))
    except Unserved as error:
        search.reasons.append(f"{kind}: {error.reason}")
        search.resolutions += [error.resolution] if error.resolution else []
    except CartridgeError as error:
        if error.code not in _REASONS:
            raise
        search.reasons.append(f"{kind}: {error.brief}{''.join(f'; {line}' for line in error.details[-1:])}")
    return None


def _unavailable(search: _Search) -> MissingError:
    return MissingError(
        f"artifact `{search.name}` cannot be had on {search.platform}",
        code="artifact-digest-mismatch" if search.damage else "artifact-unavailable",
        details=(*([search.damage] if search.damage else []), *search.reasons),
        resolution=(search.resolutions or ["make one of these ways work, or put the programs on PATH"])[0],
    )


def _is_built(declaration: Artifact) -> bool:
    return any(channel.channel in {"cargo", "go"} for channel in declaration.channels)


def _make_all(builds: list[_Search], downloads: list[_Search], lock: Lock, sources: Sources) -> dict[str, Installed]:
    """Make downloads in threads of their own while the caller's thread builds."""
    found: dict[str, Installed] = {}
    failures: list[Exception] = []
    sources = replace(sources, abandoned=threading.Event())

    def download(search: _Search) -> None:
        try:
            found[search.name] = _make(search, lock, sources)
        except Exception as error:  # noqa: BLE001 - raised again by the caller's thread below
            failures.append(error)

    with _threads(download, downloads, sources.abandoned):
        for search in builds:
            if not failures:
                found[search.name] = _make(search, lock, sources)
    for failure in failures:
        raise failure
    return found


@contextlib.contextmanager
def _threads(act: Callable[[_Search], None], searches: list[_Search], abandoned: threading.Event) -> Iterator[None]:
    """Run `act` on each search in a thread beside the body; a failing body has them stopped."""
    threads = [threading.Thread(target=act, args=(search,), daemon=True) for search in searches]
    try:
        for thread in threads:
            thread.start()
        yield
        for thread in threads:
            thread.join()
    except BaseException:
        abandoned.set()
        for thread in threads:
            thread.join(_GRACE)
        raise
