"""The content-addressed store: entries named by digest, receipts that say what was asked for.

```
entries/<digest>-<artifact>/   read-only trees, put there by rename
receipts/<key>.json            what was asked for (artifact, platform, channel, pin) → which entry
downloads/                     archives under way; `.part` files are resumed
builds/                        what compilers keep between two tries; goes with the build that ends well
work/                          folders being filled; each is flocked by its owner, so the dead ones are known
locks/                         one flock file for each key: two processes at once make an artifact once
```

Killing a process at any moment leaves at most a folder in `work/`, a `.part` file or an entry without receipt:
none is ever taken for an artifact, and `gc` (or the next make) removes them. Never makes, fetches or judges.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from cartridge.artifacts import tree
from cartridge.artifacts.held import is_held
from cartridge.artifacts.receipt import Receipt


class Removed(Struct, frozen=True):
    """Something `gc` removed (or would): what kind of leftover, where, why, and how many bytes."""

    kind: str
    path: Path
    reason: str
    size: int


class Store:
    """The store below one folder, which need not exist yet."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entries, self.downloads, self.builds = root / "entries", root / "downloads", root / "builds"
        self._receipts, self._work, self._locks = root / "receipts", root / "work", root / "locks"

    def receipt(self, key: str) -> Receipt | None:
        """Return the receipt for `key`, or None; an unreadable one counts as none."""
        try:
            return Receipt.decode((self._receipts / f"{key}.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return None

    def receipts(self) -> tuple[Receipt, ...]:
        """Return every receipt, by artifact and date."""
        found = [self.receipt(path.stem) for path in sorted(self._receipts.glob("*.json"))]
        return tuple(sorted((one for one in found if one), key=lambda one: (one.artifact, one.when)))

    def damage(self, receipt: Receipt) -> str:
        """Return what the cheap look finds wrong with an entry (sizes, dates), or ""."""
        return tree.first_difference(self.entries / receipt.entry, receipt.files)

    def has_digest(self, receipt: Receipt) -> bool:
        """Return whether the entry's bytes, all of them, are those of the receipt."""
        root = self.entries / receipt.entry
        return root.is_dir() and tree.digest(root) == receipt.digest

    @contextlib.contextmanager
    def locked(self, name: str, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold the lock called `name` across threads and processes; `waiting` is called if another has it."""
        self._locks.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._locks / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def work(self, prefix: str) -> Iterator[Path]:
        """Give a fresh folder to fill, on the file system of the entries; it is removed at the end."""
        self._work.mkdir(parents=True, exist_ok=True)
        with self.locked("work"):
            folder = Path(tempfile.mkdtemp(prefix=f"{prefix}.", dir=self._work))
            handle = os.open(folder, os.O_RDONLY)
            fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            tree.remove(folder)
            os.close(handle)

    def commit(self, folder: Path, receipt: Receipt) -> Receipt:
        """Move a filled folder into the entries, then write its receipt; both by rename.

        Args:
            folder: read-only below (`tree.freeze`), on the store's file system, such as one inside `work`.
            receipt: with the folder's digest; its `entry` and `files` are filled in here.

        Returns: the receipt as written.
        """
        name = f"{tree.short(receipt.digest)}-{receipt.artifact}"
        target = self.entries / name
        with self.locked("commit"):
            self.entries.mkdir(parents=True, exist_ok=True)
            if target.is_dir() and tree.digest(target) != receipt.digest:
                tree.remove(target)
            if not target.is_dir():
                folder.rename(target)
                target.chmod(0o555)
            kept = replace(receipt, entry=name, files=tree.stamps(target))
            self.write(self._receipts / f"{kept.key}.json", kept.encode())
        return kept

    def discard(self, receipt: Receipt) -> None:
        """Forget an artifact: its receipt first, then its entry unless another receipt names it."""
        with self.locked("commit"):
            (self._receipts / f"{receipt.key}.json").unlink(missing_ok=True)
            if all(other.entry != receipt.entry for other in self.receipts()):
                self._bury(self.entries / receipt.entry)

    def write(self, path: Path, content: bytes) -> None:
        """Write a small file whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def gc(
        self, *, dry_run: bool = False, part_age: float = 7 * 86400.0, now: float | None = None
    ) -> tuple[Removed, ...]:
        """Remove what dead processes left; what a receipt names and what a living process fills stays.

        Args:
            dry_run: only say.
            part_age: seconds since the last byte after which an unfinished download or build goes.
            now: seconds since the epoch; None keeps all that is unfinished.
        """
        with self.locked("commit"):
            found = [*self._dead_work(), *self._unnamed_entries()]
            if now is not None:
                found += self._old_parts(now - part_age)
            for one in found if not dry_run else ():
                self._bury(one.path) if one.path.is_dir() else one.path.unlink(missing_ok=True)
        return tuple(found)

    def sweep(self) -> None:
        """Remove the folders of dead makers; cheap, done before every make."""
        for one in self._dead_work():
            tree.remove(one.path)

    def _dead_work(self) -> list[Removed]:
        found = []
        with self.locked("work"):
            for folder in sorted(self._work.glob("*")):
                if not is_held(folder):
                    found.append(Removed("work", folder, "its maker is gone", tree.size(folder)))
        return found

    def _unnamed_entries(self) -> list[Removed]:
        named = {receipt.entry for receipt in self.receipts()}
        strays = [path for path in sorted(self.entries.glob("*")) if path.name not in named]
        return [Removed("entry", path, "no receipt names it", tree.size(path)) for path in strays]

    def _old_parts(self, before: float) -> list[Removed]:
        parts = [
            (kind, path, path.stat().st_mtime)
            for kind, folder in (("download", self.downloads), ("build", self.builds))
            for path in sorted(folder.glob("*"))
        ]
        return [
            Removed(kind, path, "nobody went on with it", tree.size(path) if path.is_dir() else path.stat().st_size)
            for kind, path, touched in parts
            if touched < before
        ]

    def _bury(self, path: Path) -> None:
        """Take a folder out of sight in one step, then remove it."""
        if not path.exists():
            return
        self._work.mkdir(parents=True, exist_ok=True)
        grave = Path(tempfile.mkdtemp(prefix="gone.", dir=self._work))
        path.chmod(0o755)
        path.rename(grave / path.name)
        tree.remove(grave)
