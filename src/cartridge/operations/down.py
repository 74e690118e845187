"""`down`: end a stack and remove everything of it, data included. A repeat finds nothing and says so."""

from __future__ import annotations

import shutil

from cartridge.deploy import locks
from cartridge.deploy.snapshots import place
from cartridge.errors import InterruptError, MissingError
from cartridge.model.target import Target
from cartridge.operations.access.context import Context
from cartridge.operations.access.engines import engine
from cartridge.operations.access.locking import locked
from cartridge.operations.access.selection import chosen, states
from cartridge.operations.results.stacks import DownResult
from cartridge.plan.state import State


def down(context: Context, *, all_stacks: bool = False) -> DownResult:
    """End the chosen stack, or every stack of the project, and remove what belongs to it.

    Args:
        context: of this run.
        all_stacks: every stack of this project; never one of another.

    Raises:
        InputError: `stack-ambiguous`.
        MissingError: the target does not answer, so that nothing could be removed.
        InterruptError: Ctrl-C; the stack that was being ended was ended, others are as they were.
    """
    began = context.clock.monotonic()
    try:
        every = states(context) if all_stacks else (chosen(context),)
    except MissingError as error:
        if error.code != "no-stack":
            raise
        every = ()
    removed = [resource for state in every for resource in end(context, state)]
    locks.sweep(context.project.state)
    if context.cancelled.is_set():
        raise InterruptError("interrupted, when everything was down already")
    names, targets = {state.stack for state in every}, {state.target for state in every}
    seconds = round(context.clock.monotonic() - began, 3)
    kept = len(place.folders(context.project.state))
    return DownResult(", ".join(sorted(names)), ", ".join(sorted(targets)), tuple(removed), seconds, kept)


def end(context: Context, state: State) -> tuple[str, ...]:
    """End one stack; what has begun is finished, because half a stack is no use to anybody."""
    if context.cancelled.is_set():
        raise InterruptError(resolution=f"`{state.stack}` is as it was; `cartridge down` ends it")
    with locked(context, state.stack), context.recorder.step("down", f"{state.stack}: ending"):
        removed = engine(context, Target(state.target), state.stack).destroy()
        shutil.rmtree(context.folder(state.stack), ignore_errors=True)
    return removed
