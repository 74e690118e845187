"""What the channels may draw on here: the store, our pinned Go modules, the network or not, and whom to tell.

One frozen object handed down instead of a train of parameters; nothing below it reads settings or the environment.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from msgspec import Struct, field

from cartridge.artifacts.store import Store
from cartridge.clock import Clock
from cartridge.errors import InterruptError
from cartridge.journal.recorder import Recorder


def this_platform() -> str:
    """Return this machine as `linux-x86_64`, `linux-aarch64`, `darwin-x86_64` or `darwin-arm64`."""
    machine = os.uname()
    return f"{machine.sysname.lower()}-{machine.machine}"


def image_platform(platform: str) -> str:
    """Return the platform of containers that run on a machine of `platform`: Linux on the same processor."""
    return "linux-" + platform.partition("-")[2].replace("arm64", "aarch64")


class Sources(Struct, frozen=True):
    """What channels draw on.

    Attributes:
        store: where artifacts are kept.
        tools: the folder of Go modules (`tools/` of the project, or the bundled one).
        recorder: told about steps, progress and waits.
        clock: for dates and pauses.
        offline: when set, no channel opens a connection.
        mirror: `scheme://host[/prefix]` that replaces the host of every release archive, or "".
        search: the PATH on which programs are looked up; None for this process's own.
        platform: this machine's, as in `this_platform`.
        patience: seconds without a byte after which a download is broken off.
        stopped: set by the caller (Ctrl-C); downloads and builds end as soon as they see it.
        abandoned: set where another artifact failed and this one is not worth going on with.
    """

    store: Store
    tools: Path
    recorder: Recorder
    clock: Clock
    offline: bool = False
    mirror: str = ""
    search: str | None = None
    platform: str = field(default_factory=this_platform)
    patience: float = 15.0
    stopped: threading.Event = field(default_factory=threading.Event)
    abandoned: threading.Event = field(default_factory=threading.Event)

    def go_on(self) -> None:
        """Return while there is a point in going on.

        Raises:
            InterruptError: the caller wants to stop, or another artifact failed.
        """
        if self.stopped.is_set() or self.abandoned.is_set():
            raise InterruptError()


class Meter:
    """Tells how far a step is, at most ten times a second, and always the last time."""

    def __init__(self, sources: Sources, step: str, unit: str) -> None:
        self._sources, self._step, self._unit, self._last = sources, step, unit, -1.0

    def show(self, done: int, total: int, note: str = "") -> None:
        """Record that `done` of `total` (0 = unknown) is done."""
        now = self._sources.clock.monotonic()
        if done != total and 0 <= now - self._last < 0.1:
            return
        self._last = now
        self._sources.recorder.progress(self._step, done, total, self._unit, note)

    def say(self, note: str) -> None:
        """Record what is being done where there is nothing to count."""
        self._sources.recorder.progress(self._step, note=note)
