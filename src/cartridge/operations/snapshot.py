"""`snapshot`: take one of what runs, list, remove, write to a file, read from one.

What runs goes on after it stood still for some milliseconds; a stack that is down has nothing to take.
"""

from __future__ import annotations

from pathlib import Path

from cartridge.deploy.snapshots.archive import pack, unpack
from cartridge.deploy.snapshots.store import Snapshot, Snapshots, verify
from cartridge.errors import ApplyError, InputError
from cartridge.operations.access.context import Context
from cartridge.operations.access.locking import locked
from cartridge.operations.access.selection import chosen, states
from cartridge.operations.results.copies import SnapshotResult, SnapshotView
from cartridge.plan.state import State


def create(context: Context, *, name: str = "") -> SnapshotResult:
    """Take a snapshot of the chosen stack and keep it until somebody removes it.

    Args:
        context: of this run.
        name: what to call it; "" for none.

    Raises:
        InputError: `snapshot-name-wrong`, `snapshot-name-taken`.
        MissingError: `no-stack`, `target-down`.
        ApplyError: `component-not-running`, `snapshot-not-still`.
    """
    from cartridge.operations.copying.taking import take

    if name:
        _refuse_name(context, name)
    state = chosen(context)
    with locked(context, state.stack):
        taken = take(context, _ready(context, state), name=name)
    return SnapshotResult("create", (view(taken.snapshot),), still=round(taken.still, 3))


def ls(context: Context) -> SnapshotResult:
    """Return every snapshot of the project that can be read, newest first."""
    return SnapshotResult("ls", tuple(view(one) for one in Snapshots(context.project.state).every()))


def rm(context: Context, *, names: tuple[str, ...]) -> SnapshotResult:
    """Remove snapshots by their names or ids; all of them are found before the first is removed.

    Raises:
        MissingError: `snapshot-unknown`.
        InputError: `snapshot-ambiguous`.
    """
    store = Snapshots(context.project.state)
    folders = [store.named(name) for name in names]
    gone = tuple(view(one) for one in store.every() if one.folder in folders)
    for folder in folders:
        store.remove(folder)
    return SnapshotResult("rm", gone)


def export(context: Context, *, name: str, file: Path) -> SnapshotResult:
    """Write a snapshot to a new file, once all of it has been checked.

    Raises:
        InputError: `snapshot-corrupted`, `file-exists`.
        MissingError: `snapshot-unknown`.
    """
    found = Snapshots(context.project.state).find(name)
    with context.recorder.step("snapshot/verify", "checking its files"):
        verify(found)
    with context.recorder.step("snapshot/pack", "writing the file"):
        pack(found, file)
    return SnapshotResult("export", (view(found),), file=str(file))


def take_in(context: Context, *, file: Path) -> SnapshotResult:
    """Read a snapshot from a file that `export` wrote, check all of it, and keep it.

    Raises:
        InputError: `snapshot-corrupted`, `snapshot-newer`.
        MissingError: `file-missing`.
    """
    store = Snapshots(context.project.state)
    with context.recorder.step("snapshot/unpack", "reading the file"):
        found = unpack(store, file)
    return SnapshotResult("import", (view(found),), file=str(file))


def view(snapshot: Snapshot) -> SnapshotView:
    """Return a snapshot as people see it."""
    manifest = snapshot.manifest
    files = (path for path in snapshot.folder.rglob("*") if path.is_file())
    return SnapshotView(
        id=manifest.id,
        name=manifest.name,
        stack=manifest.stack,
        target=manifest.state.target,
        cause=manifest.cause.value,
        created=manifest.created,
        height=manifest.height,
        size=sum(path.stat().st_blocks * 512 for path in files),
    )


def _ready(context: Context, state: State) -> State:
    """Return the state as it is now that the lock is held."""
    for now in states(context):
        if now.stack == state.stack and now.ready:
            return now
    raise ApplyError(
        f"`{state.name}` is not ready, so there is no good state to keep",
        code="component-not-running",
        resolution="`cartridge up` first",
    )


def _refuse_name(context: Context, name: str) -> None:
    if not name.replace("-", "").replace("_", "").replace(".", "").isalnum() or name.startswith((".", "-")):
        raise InputError(
            f"`{name}` is no name for a snapshot",
            code="snapshot-name-wrong",
            resolution="use letters, digits, hyphens, underscores and dots, a letter or digit first",
        )
    if any(name in (one.manifest.name, one.manifest.id) for one in Snapshots(context.project.state).every()):
        raise InputError(
            f"there is a snapshot `{name}` already",
            code="snapshot-name-taken",
            resolution=f"choose another name, or `cartridge snapshot rm {name}` first",
        )
