"""What Docker does not record of a component: that we asked it to end, and how often it was started again.

One small file a component in the stack's folder, found by the container's own label. A note names the container and
the start it belongs to, so another container or a later start makes it void.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, json

from cartridge.targets.docker import labels


class Note(Struct, frozen=True, forbid_unknown_fields=True):
    """A component's note.

    Attributes:
        identity: the container's id.
        stopped: the start (ISO 8601) we were asked to end last, or "".
        restarts: starts on request after the first.
    """

    identity: str = ""
    stopped: str = ""
    restarts: int = 0


def read(marks: Mapping[str, str], identity: str) -> Note:
    """Return the note on a container, found by its labels; an empty one where there is none."""
    path = _path(marks)
    try:
        note = json.decode(path.read_bytes(), type=Note) if path else Note()
    except (OSError, ValueError):
        return Note(identity)
    return note if note.identity == identity else Note(identity)


def write(marks: Mapping[str, str], note: Note) -> None:
    """Put the note in place of an older one; nothing where the stack's folder is gone."""
    path = _path(marks)
    if path is None or not path.parent.parent.is_dir():
        return
    path.parent.mkdir(mode=0o700, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(json.encode(note))
    beside.replace(path)


def folder(stack: Path) -> Path:
    """Return where a stack's notes are."""
    return stack / "notes"


def _path(marks: Mapping[str, str]) -> Path | None:
    stack, component = marks.get(labels.FOLDER, ""), marks.get(labels.COMPONENT, "")
    return folder(Path(stack)) / component if stack and component else None
