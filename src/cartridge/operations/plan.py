"""`plan`: what `up` would do, and what is no longer as the last `up` left it. Changes nothing."""

from __future__ import annotations

from cartridge.operations.access.context import Context
from cartridge.operations.results.reports import PlanResult
from cartridge.operations.startup.wanted import planned
from cartridge.plan.change import Change


def plan(context: Context, *, refresh: bool = False) -> PlanResult:
    """Return the plan of the chosen stack.

    Args:
        context: of this run.
        refresh: look at what really runs as well, and report drift.

    Raises:
        DocumentsError: the files are wrong.
        InputError: `target-changed`.
    """
    stack, state, wanted = planned(context)
    drift: tuple[Change, ...] = ()
    if refresh and state is not None:
        from cartridge.operations.drift import drift as look

        drift = look(context, stack, state, wanted)
    return PlanResult(wanted.stack, stack.target.value, wanted.changes, drift, wanted.digest)
