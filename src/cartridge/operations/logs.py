"""`logs`: what the components of a stack said."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

from cartridge.operations.access.context import Context
from cartridge.operations.access.drivers import driver
from cartridge.operations.access.selection import chosen, component
from cartridge.targets.driver import Driver

_WAITING = 256
"""Lines held before a fast component has to wait for the reader."""


def logs(
    context: Context, *, components: tuple[str, ...] = (), tail: int | None = None, follow: bool = False
) -> Iterator[tuple[str, bytes]]:
    """Yield (component, line) pairs: component by component, or as they come with `follow`.

    Args:
        context: of this run.
        components: whose; all of the stack's if none is named.
        tail: only the last so many lines of each.
        follow: go on until every component has ended or the run is cancelled.

    Raises:
        MissingError: no such stack or component.
    """
    state = chosen(context)
    names = tuple(component(state, name) for name in components) or tuple(state.components)
    grip = driver(context, state)
    if follow:
        return _followed(context, grip, names, tail)
    return ((name, line) for name in names for line in grip.logs(name, tail=tail))


def _followed(context: Context, grip: Driver, names: tuple[str, ...], tail: int | None) -> Iterator[tuple[str, bytes]]:
    lines: queue.Queue[tuple[str, bytes | None]] = queue.Queue(_WAITING)

    def read(name: str) -> None:
        for line in grip.logs(name, tail=tail, follow=True):
            lines.put((name, line))
        lines.put((name, None))

    for name in names:
        threading.Thread(target=read, args=(name,), daemon=True, name=f"logs-{name}").start()
    open_ = len(names)
    while open_ and not context.cancelled.is_set():
        name, line = lines.get()
        if line is None:
            open_ -= 1
        else:
            yield name, line
