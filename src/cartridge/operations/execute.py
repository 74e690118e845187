"""`exec`: a program where a component runs, on this terminal."""

from __future__ import annotations

from collections.abc import Sequence

from cartridge.operations.access.context import Context
from cartridge.operations.access.drivers import driver
from cartridge.operations.access.selection import chosen
from cartridge.operations.access.selection import component as known


def execute(context: Context, *, component: str, argv: Sequence[str]) -> int:
    """Run `argv` in the component and return its exit status.

    Raises:
        MissingError: no such stack, component or program.
    """
    state = chosen(context)
    return driver(context, state).interactive(known(state, component), argv)
