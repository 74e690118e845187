"""A snapshot as one file: a gzipped tar of its manifest and its files, in that order. Never trusts what it reads."""

from __future__ import annotations

import gzip
import os
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from cartridge.deploy.snapshots.manifest import Manifest
from cartridge.deploy.snapshots.store import DATA, MANIFEST, Snapshot, Snapshots, corrupted, read_manifest, verify
from cartridge.errors import InputError, MissingError
from cartridge.targets.copying import write_stream

_LEVEL = 1
"""Of compression: what is large in a snapshot are zeros."""
_LARGEST_MANIFEST = 16 << 20


def pack(snapshot: Snapshot, file: Path) -> None:
    """Write a snapshot to a new file.

    Raises:
        InputError: `file-exists`.
    """
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    if file.exists():
        raise InputError(f"`{file}` exists already", code="file-exists", resolution="choose another file")
    try:
        with (
            open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw,
            gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=_LEVEL, mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            for relative in (MANIFEST, *_paths(snapshot.manifest)):
                _add(tar, snapshot.folder / relative, f"{snapshot.manifest.id}/{relative}")
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def unpack(store: Snapshots, file: Path) -> Snapshot:
    """Read a snapshot into a store; one that is there already is replaced by its equal.

    Raises:
        InputError: `snapshot-corrupted`, `snapshot-newer`.
        MissingError: `file-missing`.
    """
    with store.drafting() as draft:
        try:
            with tarfile.open(file, mode="r:gz") as tar:
                manifest = _read(tar, draft.folder, str(file))
        except FileNotFoundError as error:
            raise MissingError(
                f"there is no file `{file}`", code="file-missing", resolution="see that it is spelt right"
            ) from error
        except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise corrupted(str(file), f"it is no whole archive: {error}") from error
        verify(Snapshot(manifest, draft.folder))
        return store.keep(draft, manifest)


def _read(tar: tarfile.TarFile, folder: Path, said: str) -> Manifest:
    first = tar.next()
    identity, _, rest = (first.name if first else "").partition("/")
    if first is None or rest != MANIFEST or first.size > _LARGEST_MANIFEST:
        raise corrupted(said, "it does not begin with a manifest")
    _extract(tar, first, folder / MANIFEST)
    manifest = read_manifest(folder, identity)
    wanted = set(_paths(manifest))
    while (member := tar.next()) is not None:
        relative = member.name.removeprefix(f"{identity}/")
        if relative not in wanted or not _is_inside(relative):
            raise corrupted(said, f"it holds `{member.name}`, which its manifest does not name")
        wanted.discard(relative)
        _extract(tar, member, folder / relative)
    return manifest


def _is_inside(relative: str) -> bool:
    path = PurePosixPath(relative)
    return not path.is_absolute() and ".." not in path.parts


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, to: Path) -> None:
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise tarfile.TarError(f"`{member.name}` is no file")
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_stream(content, to)


def _paths(manifest: Manifest) -> list[str]:
    return [f"{DATA}/{component}/{path}" for component, files in sorted(manifest.files.items()) for path in files]


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = path.stat().st_size, 0o600
    with path.open("rb") as file:
        tar.addfile(info, file)
