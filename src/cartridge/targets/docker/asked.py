"""What the Engine was asked to make and has not answered yet.

It carries a request out also where whoever asked was killed, later than anybody looked; so what a killed run asked for
is looked for once more before a stack is gone. One empty file a request in the stack's folder, from before the request
until after the answer. Asks the Engine nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from cartridge.errors import ApplyError
from cartridge.targets.docker import labels


@contextlib.contextmanager
def asking(kind: str, marks: Mapping[str, str]) -> Iterator[None]:
    """Note that the Engine is being asked for a thing with these labels; nothing where the stack's folder is gone.

    Args:
        kind: component, volume or network.
        marks: its labels, which say whose it is.
    """
    stack = Path(marks[labels.FOLDER])
    if not stack.is_dir():
        yield
        return
    note = folder(stack) / kind / (marks.get(labels.COMPONENT) or "default")
    note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    note.touch()
    try:
        yield
    except ApplyError:
        note.unlink(missing_ok=True)  # no is an answer
        raise
    note.unlink(missing_ok=True)


def unanswered(stack: Path) -> frozenset[str]:
    """Return what killed runs asked for without hearing the answer, named `component/alice`, `network/default`."""
    return frozenset(f"{note.parent.name}/{note.name}" for note in folder(stack).glob("*/*"))


def folder(stack: Path) -> Path:
    """Return where a stack's requests are noted."""
    return stack / "asked"
