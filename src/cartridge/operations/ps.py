"""`ps`: what is up in this project."""

from __future__ import annotations

from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen, states
from cartridge.operations.access.views import stack_view
from cartridge.operations.results.stacks import PsResult


def ps(context: Context, *, all_stacks: bool = False) -> PsResult:
    """Return the chosen stack, or every stack of the project; none where nothing is up.

    Raises:
        MissingError: a stack was named and is not up.
    """
    options = context.options
    named = options.stack is not None or options.isolated
    every = (chosen(context),) if named and not all_stacks else states(context)
    return PsResult(tuple(stack_view(context, state) for state in every))
