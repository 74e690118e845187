"""The project's own release archives, pinned by SHA-256 and checked before anything is unpacked.

Unpacked with Python's `data` filter, which refuses absolute names, names that climb out and devices.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

from cartridge.artifacts.channel import Job, Unserved
from cartridge.artifacts.fetch import Fetcher, mirrored
from cartridge.artifacts.pins import Pin
from cartridge.artifacts.receipt import Made
from cartridge.artifacts.sources import Meter
from cartridge.artifacts.tree import sri_from_hex
from cartridge.model.artifact import Archive, ReleaseChannel


def make(job: Job, folder: Path, scratch: Path) -> Made:
    """Download, check and unpack; see `Maker.make`."""
    channel, archive = _declared(job)
    fetcher = Fetcher(job.sources, Meter(job.sources, job.step, "bytes"))
    path = fetcher.fetch(mirrored(archive.url, job.sources.mirror), job.pin.source, scratch, through_nix=True)
    try:
        with tarfile.open(path) as archived:
            _unpack(archived, folder)
    except (tarfile.TarError, EOFError) as error:
        raise Unserved(f"`{archive.url}` cannot be unpacked: {error}") from error
    fetcher.forget()
    return Made(channel.version, {name: f"{channel.folder}/{name}".lstrip("/") for name in job.declaration.binaries})


def _unpack(archived: tarfile.TarFile, folder: Path) -> None:
    if hasattr(tarfile, "data_filter"):
        archived.extractall(folder, filter="data")
        return
    # Pythons before 3.11.4 have no filters, and Debian 12 ships one: there only plain files inside `folder` are taken
    for member in archived:
        path = Path(member.name)
        if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
            raise tarfile.TarError(f"`{member.name}` does not stay inside")
        member.mode &= 0o755
    archived.extractall(folder)  # noqa: S202 - checked above


def pin(job: Job) -> Pin:
    """Return the archive's digest as the cartridge declares it; see `Maker.pin`."""
    channel, archive = _declared(job)
    return Pin("release", channel.version, sri_from_hex(archive.sha256))


def _declared(job: Job) -> tuple[ReleaseChannel, Archive]:
    assert isinstance(job.channel, ReleaseChannel)
    archive = job.channel.archives.get(job.platform)
    if archive is None:
        raise Unserved(f"there is no release archive for {job.platform}", is_by_nature=True)
    return job.channel, archive
