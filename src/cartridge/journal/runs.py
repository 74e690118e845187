"""The journals of past runs: which there are, the newest of a stack, its last entries, and how many are kept.

Reads whole lines only and never a file's middle twice; deletes nothing but journals beyond the limit.
"""

from __future__ import annotations

import datetime
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from cartridge.journal.events import RunStarted
from cartridge.journal.recorder import Entry, replay

KEPT = 50
"""Journals a project keeps; each is a few kilobytes."""


def path_for(folder: Path, now: datetime.datetime, verb: str) -> Path:
    """Return where a run of `verb` that begins `now` writes; names sort by time."""
    return folder / f"{now.strftime('%Y%m%dT%H%M%S.%f')}-{os.getpid()}-{verb}.jsonl"


def journals(folder: Path) -> tuple[Path, ...]:
    """Return every journal in `folder`, newest first; none where there is no such folder."""
    return tuple(sorted(folder.glob("*.jsonl"), key=lambda path: path.name, reverse=True))


def newest(folder: Path, stack: str | None = None, verb: str | None = None) -> Path | None:
    """Return the newest journal, or None.

    Args:
        folder: where the project keeps them.
        stack: only of this stack id.
        verb: only of this verb.
    """
    return next((path for path in journals(folder) if _is_of(path, stack, verb)), None)


def tail(path: Path, count: int) -> tuple[Entry, ...]:
    """Return the last `count` entries of a journal, oldest first."""
    return tuple(deque(replay(path), maxlen=count))


def retain(folder: Path, count: int = KEPT) -> tuple[Path, ...]:
    """Remove all but the newest `count` journals and return them; a run that still writes one is not disturbed."""
    removed = journals(folder)[count:]
    for path in removed:
        path.unlink(missing_ok=True)
    return removed


def _is_of(path: Path, stack: str | None, verb: str | None) -> bool:
    if stack is None and verb is None:
        return True
    return any(stack in {None, started.stack} and verb in {None, started.verb} for started in _starts(path))


def _starts(path: Path) -> Iterator[RunStarted]:
    # the stack is known only after the documents are read, so it need not be the first entry
    for entry in replay(path):
        if isinstance(entry.event, RunStarted):
            yield entry.event
