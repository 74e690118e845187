"""Has a component written a certain line? Reads a log it is given; never opens a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from cartridge.probes.wait import Patience, until


def ready(read: Callable[[], Iterable[bytes]], pattern: str, patience: Patience) -> str:
    """Return the first line of the log in which `pattern` (a regular expression) is found.

    Args:
        read: returns the log so far as lines.
        pattern: searched for in each line.
        patience: how long.

    Raises:
        UnknownVerdictError: `wait-timeout`.
        InterruptError: the patience was cancelled.
    """
    wanted = re.compile(pattern)

    def found() -> str | None:
        lines = (line.decode("utf-8", "replace").rstrip("\n") for line in read())
        return next((line for line in lines if wanted.search(line)), None)

    return until(found, f"a line like `{pattern}` in the log", patience)
