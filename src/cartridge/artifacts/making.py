"""Makes one artifact through one channel, once: under its lock, in a work folder, into the store by rename.

What the channel delivered is run for its version, digested, made read-only and recorded. A kill at any point leaves
only what `Store.gc` removes. Never chooses between channels: that is `install`'s.
"""

from __future__ import annotations

import errno
from pathlib import Path

from msgspec.structs import replace

from cartridge.artifacts import tree, versions
from cartridge.artifacts.channel import Job, Maker, Unserved
from cartridge.artifacts.pins import request_key
from cartridge.artifacts.receipt import Made, Receipt
from cartridge.artifacts.sources import this_platform
from cartridge.errors import ApplyError, MissingError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FULL_WORDS = ("no space left on device", "disk quota exceeded", "file too large")


def key(job: Job) -> str:
    """Return the receipt key of what the job asks for."""
    return request_key(job.name, job.platform, job.declaration, job.channel, job.pin)


def kept(job: Job) -> Receipt | None:
    """Return the receipt of what is in the store already, and whole as far as a cheap look can tell."""
    receipt = job.sources.store.receipt(key(job))
    return receipt if receipt is not None and not job.sources.store.damage(receipt) else None


def obtain(job: Job, maker: Maker) -> Receipt:
    """Return the receipt of the artifact, made now unless somebody else has made it meanwhile.

    Raises:
        Unserved: the channel cannot serve.
        MissingError: `artifact-digest-mismatch`, or `store-full`.
    """
    store, name = job.sources.store, key(job)

    def waiting() -> None:
        job.sources.recorder.note(f"`{job.name}` is being installed by another run of cartridge; waiting for it")

    try:
        with store.locked(name, waiting):
            store.sweep()
            receipt = kept(job)
            if receipt is not None:
                return receipt
            with store.work(job.name) as work:
                folder, scratch = work / "tree", work / "scratch"
                folder.mkdir()
                scratch.mkdir()
                made = _checked(job, maker.make(job, folder, scratch), folder)
                return store.commit(folder, _receipt(job, made, folder))
    except (OSError, ApplyError, Unserved) as error:
        if _is_full(error):
            raise _no_room(job) from error
        raise


def _checked(job: Job, made: Made, folder: Path) -> Made:
    """Return `made` with the version the program itself tells, if it runs here; refuse what is not as asked."""
    for name in job.declaration.binaries:
        if name not in made.binaries or not (folder / made.binaries[name]).exists():
            raise Unserved(f"what came holds no `{name}`")
    check = job.declaration.version
    if check is None or job.platform != this_platform():
        return made
    said = versions.ask(folder / made.binaries[job.declaration.binaries[0]], check)
    if not said:
        raise Unserved(f"`{job.declaration.binaries[0]}` from there does not run on this machine")
    if not versions.accepts(check.accepts, said):
        raise Unserved(f"it delivers version {said}, and {check.accepts} is wanted")
    return replace(made, version=said)


def _receipt(job: Job, made: Made, folder: Path) -> Receipt:
    tree.freeze(folder)
    return Receipt(
        key=key(job),
        artifact=job.name,
        platform=job.platform,
        channel=job.pin.channel,
        digest=tree.digest(folder),
        entry="",
        when=job.sources.clock.now().isoformat(timespec="seconds"),
        made=made,
        files={},
    )


def _is_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL
    said = " ".join((str(error), *getattr(error, "details", ()))).lower()
    return any(words in said for words in _FULL_WORDS)


def _no_room(job: Job) -> MissingError:
    return MissingError(
        f"there is no room for artifact `{job.name}` at `{job.sources.store.root}`",
        code="store-full",
        resolution="free space there, run `cartridge gc`, or set `CARTRIDGE_STORE` to a larger disk",
    )
