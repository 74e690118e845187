"""`fork`: a second network beside the first, with the same channels and balances, both alive.

The fork is a stack like any other, of the same project: its own id, folder, lease, ports and secrets of its chain; its
nodes have the same keys, for else they would have no part in the same channels. It never meets the first one: its
nodes are told the new addresses of their peers before they start (`lightning.readdress`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct
from msgspec.structs import replace

from cartridge.deploy import statefile
from cartridge.deploy.snapshots.manifest import Cause
from cartridge.deploy.snapshots.store import Snapshot, Snapshots, verify
from cartridge.errors import ApplyError, InputError
from cartridge.model.target import Target
from cartridge.operations.access import programs
from cartridge.operations.access.context import Context
from cartridge.operations.access.engines import engine
from cartridge.operations.access.locking import locked
from cartridge.operations.access.selection import chosen, states
from cartridge.operations.access.views import component_views
from cartridge.operations.copying import bases
from cartridge.operations.copying.taking import fill
from cartridge.operations.results.copies import ForkResult
from cartridge.operations.startup.bring_up import carry_out, finish
from cartridge.plan.change import Plan
from cartridge.plan.planner import plan
from cartridge.plan.state import State
from cartridge.workspace.resolved import ResolvedStack


class _Origin(Struct, frozen=True):
    """Where a fork's data comes from: a snapshot, and for how many seconds its network stood still for it."""

    base: Snapshot
    still: float


def fork(context: Context, name: str, *, snapshot: str = "") -> ForkResult:
    """Make a fork of the chosen stack, or of a snapshot, and return when a payment has passed over each channel.

    May be called for many forks at once, by several processes or threads with a context each; a fork can be forked.

    Args:
        context: of this run.
        name: of the fork; other verbs take it as `--stack`.
        snapshot: name or id of the snapshot to start from; "" forks what runs.

    Raises:
        InputError: `fork-name-wrong`, `fork-name-taken`, `snapshot-foreign`, `snapshot-corrupted`, `stack-ambiguous`.
        MissingError: `no-stack`, `snapshot-unknown`.
        ApplyError: `component-not-running`, `snapshot-not-still`, or what `up` raises; what is there stays for a look,
            and the next `fork` of the same name makes it anew.
    """
    began = context.clock.monotonic()
    refuse_name(context, name)
    with _origin(context, snapshot) as origin:
        before = origin.base.manifest.state
        stack, wanted = meant(context, origin.base, name)
        with locked(context, wanted.stack):
            _clear(context, wanted.stack)
            begun = bases.Start(None, origin.base, definition=origin.base.manifest.stack, insists=True)
            state = carry_out(context, stack, wanted, begun)
            # what it has is what was copied, not what is written: channels may have been closed by hand meanwhile
            state = replace(state, digest=before.digest, channels=before.channels, network=before.network)
            finish(context, state)
    return ForkResult(
        stack=wanted.stack,
        name=name,
        origin=before.stack,
        snapshot=origin.base.manifest.id if snapshot else "",
        target=state.target,
        components=component_views(context, replace(state, ready=True)),
        still=round(origin.still, 3),
        seconds=round(context.clock.monotonic() - began, 3),
    )


def refuse_name(context: Context, name: str) -> None:
    """Return where a fork may be called so.

    Raises:
        InputError: `fork-name-wrong`, `fork-name-taken`.
    """
    from pydantic import TypeAdapter, ValidationError

    from cartridge.model.document import Name

    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise InputError(
            f"`{name}` is no name for a fork",
            code="fork-name-wrong",
            resolution="use lower-case letters, digits and hyphens, a letter first, at most 40 characters",
        ) from error
    taken = any(state.name == name and (state.ready or not state.definition) for state in states(context))
    if taken or name in context.workspace().stacks:
        raise InputError(
            f"there is a stack `{name}` already",
            code="fork-name-taken",
            resolution=f"choose another name, or remove it with `cartridge down --stack {name}`",
        )


def meant(context: Context, base: Snapshot, name: str) -> tuple[ResolvedStack, Plan]:
    """Return the stack that a snapshot is of, as the documents have it, under a name, and the plan that makes it.

    Raises:
        InputError: `snapshot-foreign`, `stack-unknown`, `lock-drift`.
        DocumentsError: the files are wrong.
    """
    from cartridge.workspace.resolve import resolve

    with context.recorder.step("load", "reading the documents"):
        options, before = context.options, base.manifest.state
        stack = resolve(context.workspace(), base.manifest.stack, target=before.target, bindings=options.bindings)
        wanted = plan(context.stack_id(name), stack, None, programs.pins(context, stack))
        bases.refuse_foreign(base, wanted, stack.target.value)
        programs.refuse_drift(context, stack)
    return replace(stack, name=name), wanted


@contextmanager
def _origin(context: Context, snapshot: str) -> Iterator[_Origin]:
    """Give the snapshot to start from: the one that is named, or one of what runs, which is gone afterwards."""
    store = Snapshots(context.project.state)
    if snapshot:
        found = store.find(snapshot)
        verify(found)
        yield _Origin(found, 0.0)
        return
    with store.drafting() as draft:
        state = chosen(context)
        with locked(context, state.stack):
            if not state.ready:
                raise ApplyError(
                    f"`{state.name}` is not ready", code="component-not-running", resolution="`cartridge up` first"
                )
            manifest, still = fill(context, state, draft, name="", cause=Cause.FORK)
        yield _Origin(Snapshot(manifest, draft.folder), still)


def _clear(context: Context, stack_id: str) -> None:
    """Remove what an earlier fork of this name left when it was killed or failed."""
    folder = context.folder(stack_id)
    left: State | None = statefile.read(folder)
    if left is not None:
        context.recorder.note("an earlier fork of this name was not finished; making it anew")
        engine(context, Target(left.target), stack_id).destroy()
        shutil.rmtree(folder, ignore_errors=True)
