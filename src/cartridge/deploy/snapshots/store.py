"""The snapshots of one project: each a folder named by its id, written beside and renamed when it is whole.

```
<state folder>/snapshots/<id>/manifest.json
                              data/<component>/…     its data folder as it was
                        .partial-…/                  being written; locked by its writer while it lives
                        .doomed-…/                   being removed
```
Folders are 0700, files 0600: they hold keys. Knows nothing of nodes or chains; every file is checked when it is used.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from cartridge.artifacts.held import is_held
from cartridge.deploy.replacing import write_whole
from cartridge.deploy.snapshots import place
from cartridge.deploy.snapshots.manifest import Cause, FileRecord, Manifest, NewerError, decode, encode
from cartridge.errors import InputError, MissingError
from cartridge.plan.state import State

MANIFEST, DATA = "manifest.json", "data"
_PARTIAL, _DOOMED = ".partial-", ".doomed-"
SHORTEST = 4
"""Digits of an id that will do to name a snapshot, where only one begins so."""
MOST_READY, MOST_BYTES = 8, 4 << 30
"""Snapshots of ready stacks that are kept in a project, and the bytes all of these may fill."""
_THREADS = 4


class Snapshot(Struct, frozen=True):
    """A snapshot that is there: its manifest and its folder."""

    manifest: Manifest
    folder: Path

    def file(self, component: str, path: str) -> Path:
        """Return where a file of a component is."""
        return self.folder / DATA / component / path


class Draft:
    """A snapshot being written: put each component's files under `place`, then `seal` it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, component: str) -> Path:
        """Return the folder a component's files belong in; it may not be there yet."""
        return self.folder / DATA / component

    def seal(self, state: State, height: int, *, name: str, cause: Cause, created: str) -> Manifest:
        """Write the manifest of what is there and return it; its parameters are the manifest's fields."""
        files: dict[str, dict[str, FileRecord]] = {}
        with ThreadPoolExecutor(_THREADS) as pool:
            paths = sorted(path for path in (self.folder / DATA).rglob("*") if path.is_file())
            for path, record in zip(paths, pool.map(_record, paths), strict=True):
                component, *rest = path.relative_to(self.folder / DATA).parts
                files.setdefault(component, {})["/".join(rest)] = record
        manifest = Manifest("", name, cause, created, height, state, files).sealed()
        write_whole(self.folder / MANIFEST, encode(manifest))
        return manifest


class Snapshots:
    """The snapshots below a project's folder of state."""

    def __init__(self, state: Path) -> None:
        self._state, self.folder = state, state / place.FOLDER

    @contextmanager
    def drafting(self) -> Iterator[Draft]:
        """Give a draft; what is not kept by `keep` when the body ends is removed."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = self.folder / f"{_PARTIAL}{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield Draft(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)

    def keep(self, draft: Draft, manifest: Manifest) -> Snapshot:
        """Put a sealed draft under its id, in place of an equal one."""
        final = self.folder / manifest.id
        if final.exists():
            self._discard(final)
        draft.folder.rename(final)
        return Snapshot(manifest, final)

    def every(self) -> tuple[Snapshot, ...]:
        """Return every snapshot that can be read, newest first."""
        found = []
        for folder in self._folders():
            with suppress(InputError, MissingError):
                found.append(self._read(folder))
        return tuple(sorted(found, key=lambda one: (one.manifest.created, one.manifest.id), reverse=True))

    def find(self, wanted: str) -> Snapshot:
        """Return the snapshot of a name, an id, or the beginning of an id; files are not looked at.

        Raises:
            MissingError: `snapshot-unknown`.
            InputError: `snapshot-corrupted`, `snapshot-newer`, `snapshot-ambiguous`.
        """
        if (exact := self.folder / wanted).is_dir() and wanted and "/" not in wanted and not wanted.startswith("."):
            return self._read(exact)
        every = self.every()
        fitting = [one for one in every if one.manifest.name == wanted] or [
            one for one in every if len(wanted) >= SHORTEST and one.manifest.id.startswith(wanted)
        ]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            names = ", ".join(f"`{one.manifest.id}`" for one in fitting)
            raise InputError(
                f"`{wanted}` may be any of {names}",
                code="snapshot-ambiguous",
                resolution="write more of the id",
            )
        raise unknown(wanted)

    def named(self, wanted: str) -> Path:
        """Return the folder of a snapshot to remove: one that cannot be read is found by its whole id.

        Raises:
            MissingError: `snapshot-unknown`.
            InputError: `snapshot-ambiguous`.
        """
        exact = self.folder / wanted
        return exact if exact in self._folders() else self.find(wanted).folder

    def ready(self, digest: str) -> tuple[Snapshot, ...]:
        """Return the snapshots of stacks just come up with this digest, newest first."""
        return tuple(
            one for one in self.every() if one.manifest.cause is Cause.READY and one.manifest.state.digest == digest
        )

    def rename(self, snapshot: Snapshot, name: str) -> Snapshot:
        """Give a snapshot a person's name; it is then kept until a person removes it."""
        manifest = replace(snapshot.manifest, name=name, cause=Cause.ASKED)
        write_whole(snapshot.folder / MANIFEST, encode(manifest))
        return Snapshot(manifest, snapshot.folder)

    def remove(self, folder: Path) -> bool:
        """Remove a snapshot by its folder; return whether it was there."""
        return self._discard(folder)

    def prune(self) -> tuple[Manifest, ...]:
        """Remove the oldest snapshots of ready stacks beyond the limits and return them."""
        removed, room = [], MOST_BYTES
        for index, one in enumerate(each for each in self.every() if each.manifest.cause is not Cause.ASKED):
            room -= one.manifest.size
            if (index >= MOST_READY or room < 0) and index > 0 and self._discard(one.folder):
                removed.append(one.manifest)
        return tuple(removed)

    def leftovers(self) -> Iterator[tuple[Path, str]]:
        """Yield each folder nobody can use, and why: half written, half removed, or unreadable."""
        for folder in sorted(self.folder.glob(f"{_PARTIAL}*")):
            if not is_held(folder):
                yield folder, "its writer was killed"
        for folder in sorted(self.folder.glob(f"{_DOOMED}*")):
            yield folder, "its removal was killed"
        for folder in self._folders():
            try:
                self._read(folder)
            except InputError as error:
                if error.code != "snapshot-newer":
                    yield folder, error.brief
            except MissingError:
                continue

    def _folders(self) -> Sequence[Path]:
        return place.folders(self._state)

    def _read(self, folder: Path) -> Snapshot:
        return Snapshot(read_manifest(folder, folder.name), folder)

    def _discard(self, folder: Path) -> bool:
        doomed = self.folder / f"{_DOOMED}{secrets.token_hex(8)}"
        try:
            folder.rename(doomed)  # never half a snapshot under its id
        except FileNotFoundError:
            return False
        shutil.rmtree(doomed, ignore_errors=True)
        return True


def read_manifest(folder: Path, identity: str) -> Manifest:
    """Return the manifest in a snapshot's folder; it must have this id.

    Raises:
        InputError: `snapshot-corrupted`, `snapshot-newer`.
        MissingError: `snapshot-unknown`.
    """
    try:
        manifest = decode((folder / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        if not folder.is_dir():
            raise unknown(identity) from error
        raise corrupted(identity, "it has no manifest") from error
    except NewerError as error:
        raise InputError(
            f"the snapshot `{identity}` is of a later format ({error})",
            code="snapshot-newer",
            resolution="use it with the version of cartridge that made it, or a later one",
        ) from error
    except (OSError, ValueError) as error:
        raise corrupted(identity, f"its manifest cannot be read: {error}") from error
    if manifest.id != identity:
        raise corrupted(identity, f"its manifest is that of `{manifest.id}`")
    return manifest


def verify(snapshot: Snapshot) -> None:
    """Return if every file is there and as it was.

    Raises:
        InputError: `snapshot-corrupted`, naming the first file that is not.
    """
    wanted = [
        (snapshot.file(component, path), f"{component}/{path}", record)
        for component, files in snapshot.manifest.files.items()
        for path, record in files.items()
    ]
    with ThreadPoolExecutor(_THREADS) as pool:
        for (_, said, _), complaint in zip(wanted, pool.map(_complaint, wanted), strict=True):
            if complaint:
                raise corrupted(snapshot.manifest.id, f"`{said}` {complaint}")


def corrupted(identity: str, why: str) -> InputError:
    """Return the error that says that a snapshot is not what it was."""
    return InputError(
        f"the snapshot `{identity}` is corrupted: {why}",
        code="snapshot-corrupted",
        resolution=f"remove it with `cartridge snapshot rm {identity}`, and take another",
    )


def unknown(wanted: str) -> MissingError:
    """Return the error that says that there is no such snapshot."""
    return MissingError(
        f"there is no snapshot `{wanted}` here",
        code="snapshot-unknown",
        resolution="`cartridge snapshot ls` lists them",
    )


def _complaint(one: tuple[Path, str, FileRecord]) -> str:
    path, _, record = one
    try:
        found = _record(path)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "" if found == record else "is not what it was"


def _record(path: Path) -> FileRecord:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileRecord(os.fstat(file.fileno()).st_size, digest)
