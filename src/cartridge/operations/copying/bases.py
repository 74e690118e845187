"""Which snapshot a run starts from, if any, and whether it fits what is wanted. Starts nothing."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from cartridge.artifacts.installed import Installed
from cartridge.deploy.snapshots.store import Snapshot, Snapshots, verify
from cartridge.errors import CartridgeError, InputError
from cartridge.operations.access.context import Context
from cartridge.plan.change import Plan
from cartridge.plan.state import State


class Start(Struct, frozen=True):
    """What a run finds.

    Attributes:
        state: what the last run left, or None.
        base: the snapshot that fresh data comes from, or None.
        definition: of a fork, the stack's name in the documents; else "".
        insists: whether `base` must be used; else a run that finds it unfit does without.
    """

    state: State | None
    base: Snapshot | None = None
    definition: str = ""
    insists: bool = False


def start(context: Context, state: State | None, wanted: Plan, *, fresh: bool) -> Start:
    """Return what an `up` starts from: the last good snapshot of the same definition where nothing is there yet.

    Args:
        context: of this run.
        state: what the last run left.
        wanted: the plan; its digest is the definition's.
        fresh: take no snapshot.

    Raises:
        MissingError: `snapshot-unknown`, an earlier run began with one that is gone.
        InputError: `snapshot-corrupted`.
    """
    store = Snapshots(context.project.state)
    if state is not None:
        if not state.restoring or state.ready:
            return Start(state)
        begun = store.find(state.restoring)
        return Start(state, begun if begun.manifest.state.digest == wanted.digest else None, insists=True)
    if fresh:
        return Start(None)
    for one in store.ready(wanted.digest):
        try:
            verify(one)
        except InputError as error:
            context.recorder.note(f"{error.brief}; starting from nothing", "warning")
            store.remove(one.folder)
            continue
        return Start(None, one)
    return Start(None)


def fitting(context: Context, begun: Start, versions: Mapping[str, str]) -> Snapshot | None:
    """Return the snapshot to start from, given the programs' versions here; None is to start from nothing.

    Raises:
        InputError: `snapshot-foreign`, it must be used and is of other programs.
    """
    if begun.base is None:
        return None
    before = begun.base.manifest.state.programs
    other = [name for name, version in before.items() if versions.get(name, version) != version]
    if not other:
        return begun.base
    told = ", ".join(f"`{name}` {before[name]} instead of {versions[name]}" for name in other)
    if begun.insists:
        raise foreign(begun.base, f"it was taken with {told}")
    context.recorder.note(f"the last snapshot was taken with {told}; starting from nothing")
    return None


def versions(installed: Mapping[str, Installed]) -> dict[str, str]:
    """Return the version of each program by its artifact."""
    return {name: one.version for name, one in installed.items()}


def refuse_foreign(snapshot: Snapshot, wanted: Plan, target: str) -> None:
    """Return where a snapshot is of the definition that is wanted.

    Raises:
        InputError: `snapshot-foreign`.
    """
    state = snapshot.manifest.state
    if state.target != target:
        raise foreign(snapshot, f"it was taken on target `{state.target}`, and this is `{target}`")
    if state.digest != wanted.digest:
        raise foreign(snapshot, "the stack was defined otherwise then, by its documents, flags or lock")


def foreign(snapshot: Snapshot, why: str) -> InputError:
    """Return the error that says that a snapshot is of something else."""
    return InputError(
        f"the snapshot `{snapshot.manifest.id}` does not fit: {why}",
        code="snapshot-foreign",
        resolution="give the files and flags it was taken with, or take another",
    )


def remember(context: Context, state: State) -> None:
    """Keep the data of a stack that has just come up from nothing, for the next `up`; a failure is only told."""
    from cartridge.deploy.snapshots.manifest import Cause
    from cartridge.operations.copying.taking import refuse_unsupported, take

    try:
        refuse_unsupported(state)
    except InputError:
        return  # nobody asked for one
    with context.recorder.step("snapshot", "keeping its data for the next `up`") as step:
        try:
            taken = take(context, state, cause=Cause.READY)
            Snapshots(context.project.state).prune()
            step.note = taken.snapshot.manifest.id
        except (CartridgeError, OSError) as error:
            context.recorder.note(f"no snapshot was taken: {error}", "warning")
