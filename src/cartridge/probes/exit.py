"""Did a one-shot end well? Asks for its exit status until there is one."""

from __future__ import annotations

from collections.abc import Callable

from cartridge.errors import ApplyError
from cartridge.probes.wait import Patience, until


def ready(status: Callable[[], int | None], name: str, patience: Patience) -> None:
    """Return once the component `name` has ended with status 0.

    Args:
        status: returns the exit status, or None while it runs.
        name: for the error.
        patience: how long.

    Raises:
        ApplyError: `component-ended`, it ended with another status.
        UnknownVerdictError: `wait-timeout`.
        InterruptError: the patience was cancelled.
    """
    (ended,) = until(lambda: None if (now := status()) is None else (now,), f"`{name}` to end", patience)
    if ended:
        raise ApplyError(
            f"`{name}` ended with status {ended}",
            code="component-ended",
            resolution=f"read `cartridge logs {name}`",
        )
