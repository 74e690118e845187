"""`restore`: bring a stack to the data of a snapshot; what it has now is removed first.

Its name stays, its ports and processes are new. A kill in between leaves the snapshot, and a stack that is down or
not ready: another `restore` begins anew.
"""

from __future__ import annotations

import shutil

from msgspec.structs import replace

from cartridge.deploy.snapshots.store import Snapshot, Snapshots, unknown, verify
from cartridge.errors import InputError, MissingError
from cartridge.model.target import Target
from cartridge.operations.access.context import Context
from cartridge.operations.access.engines import engine
from cartridge.operations.access.locking import locked
from cartridge.operations.access.selection import chosen
from cartridge.operations.access.views import component_views
from cartridge.operations.copying import bases
from cartridge.operations.fork import meant
from cartridge.operations.results.copies import RestoreResult
from cartridge.operations.startup.bring_up import carry_out, finish
from cartridge.plan.state import State


def restore(context: Context, *, snapshot: str = "") -> RestoreResult:
    """Bring a stack to the data of a snapshot and return when a payment has passed over each channel.

    Args:
        context: of this run; its stack is the one that is up, else the snapshot's own.
        snapshot: name or id; "" for the newest of the stack.

    Raises:
        InputError: `snapshot-foreign`, `snapshot-corrupted`, `stack-ambiguous`.
        MissingError: `snapshot-unknown`.
        ApplyError: what `up` raises.
    """
    began = context.clock.monotonic()
    before = _up(context)
    store = Snapshots(context.project.state)
    found = store.find(snapshot) if snapshot else _newest(store, before)
    verify(found)
    definition, name = found.manifest.stack, before.name if before else found.manifest.stack
    if before and (before.definition or before.name) != definition:
        raise bases.foreign(found, f"it is of the stack `{definition}`, and `{name}` is another")
    stack, wanted = meant(context, found, name)
    with locked(context, wanted.stack):
        if before:
            with context.recorder.step("down", f"{name}: ending what runs"):
                engine(context, Target(before.target), before.stack).destroy()
                shutil.rmtree(context.folder(before.stack), ignore_errors=True)
        begun = bases.Start(None, found, definition=definition if name != definition else "", insists=True)
        state = carry_out(context, stack, wanted, begun)
        kept = found.manifest.state
        state = replace(state, digest=kept.digest, channels=kept.channels, network=kept.network)
        finish(context, state)
    return RestoreResult(
        stack=wanted.stack,
        snapshot=found.manifest.id,
        target=state.target,
        components=component_views(context, replace(state, ready=True)),
        seconds=round(context.clock.monotonic() - began, 3),
    )


def _up(context: Context) -> State | None:
    """Return the state of the chosen stack, or None where it is not up."""
    try:
        return chosen(context)
    except MissingError as error:
        if error.code != "no-stack":
            raise
        return None


def _newest(store: Snapshots, before: State | None) -> Snapshot:
    every = store.every()
    if before is not None:
        every = tuple(one for one in every if one.manifest.stack == (before.definition or before.name))
    if not every:
        raise unknown("newest")
    names = {one.manifest.stack for one in every}
    if len(names) > 1:
        raise InputError(
            "there are snapshots of several stacks",
            code="snapshot-ambiguous",
            resolution="name one: `cartridge snapshot ls` lists them",
        )
    return every[0]
