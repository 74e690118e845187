"""`wait`: return when components are what was asked for."""

from __future__ import annotations

from typing import Literal

from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen, component
from cartridge.operations.access.views import stack_view
from cartridge.operations.results.stacks import PsResult, StackView
from cartridge.probes.wait import Patience, until

DEFAULT_SECONDS = 60.0

_WANTED: dict[str, frozenset[str]] = {
    "ready": frozenset({"ready", "done"}),
    "running": frozenset({"ready", "running", "done"}),
    "stopped": frozenset({"stopped", "failed", "done", "absent"}),
}


def wait(
    context: Context, *, components: tuple[str, ...] = (), condition: Literal["ready", "running", "stopped"] = "ready"
) -> PsResult:
    """Return the stack once the named components (all, if none is named) are `condition`.

    Raises:
        MissingError: no such stack or component.
        UnknownVerdictError: `wait-timeout`.
    """
    first = chosen(context)
    names = frozenset(component(first, name) for name in components) or frozenset(first.components)
    seconds = context.limit(DEFAULT_SECONDS)

    def look() -> StackView | None:
        view = stack_view(context, chosen(context))
        fit = all(one.state in _WANTED[condition] for one in view.components if one.name in names)
        return view if fit else None

    patience = Patience.of(context.clock, seconds, context.cancelled)
    return PsResult((until(look, f"{', '.join(sorted(names))} to be {condition}", patience),))
