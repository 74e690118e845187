"""Runs `cartridge` held at each step of its journal, so that a test can kill somebody at exactly that moment.

The run announces each step's start and end on a Unix socket and waits for a byte (`cartridge.journal.gate`).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TextIO

from tests.scenarios.forked import Forked

PATIENCE = 120.0
"""Seconds for any one step, so that a hang is a failure and not a stuck suite."""

Done = subprocess.CompletedProcess[str]
"""A run that has ended: its exit status and what it said."""


class Held:
    """One run of `cartridge`, held at each step. A context manager: the run is dead afterwards.

    Args:
        project: folder to run in.
        arguments: of `cartridge`.
        environment: variables beside the test's own.
    """

    def __init__(self, project: Path, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="held-")
        address = f"{self._folder.name}/gate"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(address)
        self._listener.listen(1)
        self._listener.settimeout(PATIENCE)
        self._last_words, self._moments = "", None
        self._said = Path(self._folder.name, "said")
        environment = {**os.environ, **environment, "CARTRIDGE_STEP_GATE": address}
        self.process = Forked(arguments, project, environment, self._said, self._said)

    def __enter__(self) -> Held:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        self._listener.close()
        self._last_words = self.output()
        self._folder.cleanup()

    def moments(self) -> Iterator[str]:
        """Yield `step-started NAME` and `step-ended NAME` as they come; the run goes on when the next is asked for."""
        connection, _ = self._listener.accept()
        with connection, connection.makefile("r", encoding="utf-8") as lines:
            connection.settimeout(PATIENCE)
            while line := _read(lines):
                yield line.strip()
                try:
                    connection.sendall(b".")
                except OSError:
                    return

    def until(self, moment: str) -> bool:
        """Let the run go on until `moment`, and hold it there; return whether it came."""
        self._moments = self.moments()
        return any(seen == moment for seen in self._moments)

    def go_on(self) -> int:
        """Let a held run go on to its end and return its exit status."""
        for _ in self._moments:
            pass
        return self.process.wait(PATIENCE)

    def rest(self) -> tuple[int, float]:
        """Let a held run go on to its end; return its exit status, and the seconds that took."""
        began = time.monotonic()
        status = self.go_on()
        return status, time.monotonic() - began

    def begin(self) -> None:
        """Let a run go through all its steps, or all that are left, in a thread."""
        moments = self._moments or self.moments()
        threading.Thread(target=lambda: [None for _ in moments], daemon=True).start()

    def kill(self) -> None:
        """Kill the run at once."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def output(self) -> str:
        """Return what it said so far."""
        try:
            return self._said.read_text("utf-8", "replace")
        except FileNotFoundError:  # not begun yet, or over
            return self._last_words


def _read(lines: TextIO) -> str:
    """Return the next line; nothing where the run has ended, with an answer of ours unread perhaps."""
    try:
        return lines.readline()
    except ConnectionResetError:
        return ""


@dataclass
class Project:
    """A project of a test: its folder, and the variables that keep it apart from the user's own stacks.

    Attributes:
        is_empty: it was seen that nothing of it is left.
    """

    folder: Path
    environment: dict[str, str]
    is_empty: bool = False

    def held(self, *arguments: str) -> Held:
        """Return a held run of `cartridge` in it."""
        return Held(self.folder, arguments, self.environment)

    def cartridge(self, *arguments: str) -> Done:
        """Run `cartridge` in it to its end."""
        with tempfile.TemporaryDirectory(prefix="run-") as streams:
            output, errors = Path(streams, "output"), Path(streams, "errors")
            run = Forked(arguments, self.folder, {**os.environ, **self.environment}, output, errors)
            try:
                status = run.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                run.kill()
                run.wait(PATIENCE)
                raise _too_late(arguments, errors.read_text("utf-8", "replace")) from None
            said = [stream.read_text("utf-8", "replace") for stream in (output, errors)]
            return Done(["cartridge", *arguments], status, *said)

    def mortal(self, *arguments: str) -> Done:
        """Run `cartridge` in it as somebody for whom permissions count, root or not."""
        plain = [sys.executable, "-m", "cartridge", *arguments]
        try:
            return subprocess.run(
                plain if os.getuid() else ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *plain],
                cwd=self.folder,
                env={**os.environ, **self.environment},
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            said = late.stderr.decode() if isinstance(late.stderr, bytes) else late.stderr or ""
            raise _too_late(arguments, said) from None


def _too_late(arguments: tuple[str, ...], said: str) -> AssertionError:
    return AssertionError(f"`cartridge {' '.join(arguments)}` has not ended within {PATIENCE} s, and said\n{said}")
