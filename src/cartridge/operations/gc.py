"""`gc`: find what dead or expired runs left, on every target and in the store, and remove it. A repeat finds nothing.

Never touches a stack that is alive, of this project or another, nor anything of another user.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct

from cartridge.artifacts.store import Store
from cartridge.deploy import locks, statefile
from cartridge.deploy.leases import Entry, is_expired, registry
from cartridge.deploy.snapshots.store import Snapshots
from cartridge.errors import CartridgeError, UnknownVerdictError
from cartridge.operations.access.context import Context
from cartridge.operations.results.reports import GcResult, Orphan
from cartridge.plan.state import State
from cartridge.targets.process import marks, orphans


class _Found(Struct, frozen=True):
    """Something left, and the act that removes it: returns whether it was there."""

    kind: str
    identity: str
    stack: str
    reason: str
    remove: Callable[[], bool]


def gc(context: Context, *, dry_run: bool = False) -> GcResult:
    """Find leftovers and remove them unless it is a dry run; return everything found."""
    found = [*_processes(context), *_docker(context), *_leases(context), *_folders(context)]
    found += [*_snapshots(context), *_forks(context)]
    left = [Orphan(one.kind, one.identity, one.stack, one.reason, not dry_run and one.remove()) for one in found]
    store = Store(context.settings.store).gc(dry_run=dry_run, now=context.clock.now().timestamp())
    left += [Orphan(one.kind, str(one.path), "", one.reason, not dry_run) for one in store]
    swept = () if dry_run else locks.sweep(context.project.state)
    left += [Orphan("lock", str(path), "", "its holder is dead", removed=True) for path in swept]
    return GcResult(tuple(left))


def _processes(context: Context) -> Iterator[_Found]:
    for left in orphans.find(context.settings.runtime):
        yield _Found(left.kind, left.identity, left.stack, left.reason, partial(orphans.remove, left))


def _docker(context: Context) -> Iterator[_Found]:
    """Yield what Docker holds of stacks nobody has any more; nothing where no engine answers."""
    from cartridge.targets.docker import reaper as docker
    from cartridge.targets.docker.client import connect

    try:
        client = connect()
    except CartridgeError:
        return
    leases = {entry.lease.stack: entry.lease.expires for entry in registry(context.settings).entries()}
    for left in docker.find(client, leases, context.clock.now()):
        remove = partial(docker.remove, client, [left])
        yield _Found(left.kind, left.identity, left.stack, left.reason, partial(_has_removed, remove))


def _has_removed(remove: Callable[[], Sequence[object]]) -> bool:
    return bool(remove())


def _leases(context: Context) -> Iterator[_Found]:
    leases, alive = registry(context.settings), _alive(context)
    for entry in leases.entries():
        if (stack := entry.lease.stack) not in alive:
            reason = "it has expired" if is_expired(entry.lease, context.clock.now()) else "its stack is gone"
            yield _Found("lease", str(leases.path(stack)), stack, reason, partial(leases.remove, stack))
    for path in leases.unreadable():
        yield _Found("lease", str(path), path.stem, "it cannot be read", partial(_remove, path))


def _folders(context: Context) -> Iterator[_Found]:
    """Yield the folders of this project's stacks that no lease speaks for."""
    alive = _alive(context)
    for folder in statefile.folders(context.project.state):
        if folder.name not in alive:
            yield _Found("folder", str(folder), folder.name, "no lease speaks for it", partial(_remove, folder))


def _snapshots(context: Context) -> Iterator[_Found]:
    """Yield the snapshots of this project that nobody can use; the others stay, and prune themselves."""
    for path, reason in Snapshots(context.project.state).leftovers():
        yield _Found("snapshot", str(path), "", reason, partial(_remove, path))


def _forks(context: Context) -> Iterator[_Found]:
    """Yield the forks that were never finished, and that nobody is at work on: a stack of their own would go on."""
    for folder in statefile.folders(context.project.state):
        state = statefile.read(folder)
        if state is None or not state.definition or state.ready:
            continue
        try:
            with locks.hold(context.project.state / f".{state.stack}.lock", context.verb, locks.Queue(context.clock)):
                pass
        except UnknownVerdictError:
            continue
        yield _Found("fork", state.stack, state.stack, "it was never finished", partial(_end, context, state))


def _end(context: Context, state: State) -> bool:
    from cartridge.operations.down import end

    return bool(end(context, state))


def _alive(context: Context) -> frozenset[str]:
    """Return the ids of the stacks that are somebody's: a lease that holds, and the folder or guardian it is for."""
    now = context.clock.now()
    guarded = {one.stack for one in marks.guardians()}
    return frozenset(
        entry.lease.stack
        for entry in registry(context.settings).entries()
        if not is_expired(entry.lease, now) and (entry.lease.stack in guarded or _is_kept(entry))
    )


def _is_kept(entry: Entry) -> bool:
    return (Path(entry.folder) / statefile.NAME).is_file()


def _remove(path: Path) -> bool:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return not path.exists()
