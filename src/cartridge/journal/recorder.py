"""Writes events: to a file of JSON lines, and to whoever listens (the progress display, a test harness).

One line an event, written with one `write` so that a kill leaves whole lines; a torn last line is skipped
by `replay`. Never reads, never decides, never holds an event back. Safe to call from several threads.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from cartridge.clock import Clock
from cartridge.errors import CartridgeError
from cartridge.journal.events import KINDS, Ending, Event, Noted, StepEnded, StepProgress, StepStarted
from cartridge.journal.redaction import redact


class Entry(Struct, frozen=True):
    """An event with its time: ISO 8601 in UTC, and seconds since the run began."""

    at: str
    offset: float
    event: Event


Listener = Callable[[Entry], None]

_UNOPENED = -1


class Recorder:
    """The one writer of a run's journal.

    A journal that cannot be written (a full disk, a folder of somebody else's) is given up with a warning to the
    listeners: what is recorded about a run must not end it.

    Args:
        clock: gives every entry its time.
        path: the file to append to, made 0600 at the first event, with its folder and that folder's own 0700; None
            records nowhere.
        listeners: called in order with each entry after it is written.
    """

    def __init__(self, clock: Clock, path: Path | None = None, listeners: tuple[Listener, ...] = ()) -> None:
        self._clock, self._listeners, self._lock = clock, listeners, threading.Lock()
        self._began = clock.monotonic()
        self._path, self._file = path, None if path is None else _UNOPENED

    def record(self, event: Event) -> None:
        """Append `event` and tell the listeners; what looks like a secret in it is hidden first."""
        entry = self._entry(_redacted(event))
        with self._lock:
            try:
                self._write(entry)
            except OSError as error:
                self._end()
                self._tell(self._entry(Noted("warning", f"this run is not recorded: {self._path}: {error.strerror}")))
            self._tell(entry)

    def _entry(self, event: Event) -> Entry:
        offset = round(self._clock.monotonic() - self._began, 4)
        return Entry(self._clock.now().isoformat(timespec="milliseconds"), offset, event)

    def _write(self, entry: Entry) -> None:
        if self._file == _UNOPENED and self._path is not None:
            for folder in (self._path.parent.parent, self._path.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        if self._file is not None:
            os.write(self._file, encode(entry))

    def _tell(self, entry: Entry) -> None:
        for listener in self._listeners:
            listener(entry)

    def _end(self) -> None:
        if self._file is not None and self._file != _UNOPENED:
            os.close(self._file)
        self._file = None

    def note(self, text: str, level: str = "info") -> None:
        """Record a line for people."""
        self.record(Noted(level, text))

    def progress(self, step: str, done: int = 0, total: int = 0, unit: str = "", note: str = "") -> None:
        """Record how far a step is."""
        self.record(StepProgress(step, done, total, unit, note))

    @contextlib.contextmanager
    def step(self, step: str, title: str) -> Iterator[Step]:
        """Record the start and the end of a piece of work; an exception ends it as failed."""
        self.record(StepStarted(step, title))
        outcome = Step()
        try:
            yield outcome
        except BaseException as error:
            brief = error.brief if isinstance(error, CartridgeError) else type(error).__name__
            self.record(StepEnded(step, Ending.FAILED, brief))
            raise
        self.record(StepEnded(step, outcome.ending, outcome.note))

    def close(self) -> None:
        """Close the file; later events reach only the listeners."""
        with self._lock:
            self._end()


class Step(Struct):
    """What the body of a step may say about how it ended."""

    ending: Ending = Ending.DONE
    note: str = ""

    def skip(self, note: str) -> None:
        """Say that there was nothing to do."""
        self.ending, self.note = Ending.SKIPPED, note


def _redacted(event: Event) -> Event:
    hidden: dict[str, Any] = {
        name: text for name, value in asdict(event).items() if type(value) is str and (text := redact(value)) != value
    }
    return replace(event, **hidden) if hidden else event


def encode(entry: Entry) -> bytes:
    """Return the entry as one line of JSON."""
    body = {"at": entry.at, "offset": entry.offset, "type": entry.event.type, **asdict(entry.event)}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def replay(path: Path) -> Iterator[Entry]:
    """Yield the entries of a journal; a torn last line, and kinds and fields of a later version, are passed over."""
    with path.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                return
            body = json.loads(line)
            at, offset, kind = body.pop("at"), body.pop("offset"), KINDS.get(body.pop("type"))
            if kind is None:
                continue
            if "ending" in body:
                body["ending"] = Ending(body["ending"])
            known = body.keys() & set(kind.__struct_fields__)
            yield Entry(at, offset, kind(**{name: body[name] for name in known}))
