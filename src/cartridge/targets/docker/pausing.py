"""A small program that pauses containers for whoever started it, and lets them go on when that one is gone.

Docker itself would leave them paused for ever. It reads a line and answers with one: `pause SECONDS ID…`, `resume`. It
lets everything go on when its time is up, and when its input ends: its caller has ended or was killed. Never touches a
container it did not pause. Imports nothing heavy.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import select
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cartridge.clock import SystemClock
from cartridge.errors import CartridgeError
from cartridge.targets.docker.endpoint import Quick

_FINE = (204, 304)
_CLOCK = SystemClock()


class Pauses:
    """What is paused.

    Args:
        socket: of the Engine.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._paused: list[str] = []
        self.ends = 0.0

    def pause(self, seconds: float, containers: Sequence[str]) -> str:
        """Pause containers, all at once; return "" or what the Engine said."""
        self.ends = _CLOCK.monotonic() + seconds
        self._paused += containers  # before it is done: should the Engine have done it and not answered
        return "; ".join(filter(None, self._all(containers, "pause")))

    def resume(self) -> list[str]:
        """Let everything go on and return what was paused until now."""
        paused, self._paused, self.ends = self._paused, [], 0.0
        said = self._all(paused, "unpause")
        return [one for one, complaint in zip(paused, said, strict=True) if not complaint]

    def _all(self, containers: Sequence[str], verb: str) -> list[str]:
        with ThreadPoolExecutor(max(1, len(containers))) as pool:
            return list(pool.map(lambda one: self._ask(one, verb), containers))

    def _ask(self, container: str, verb: str) -> str:
        with contextlib.closing(Quick(self._socket)) as connection:
            try:
                connection.request("POST", f"/containers/{container}/{verb}")
                answer = connection.getresponse()
                said = answer.read().decode("utf-8", "replace").strip()
            except (OSError, http.client.HTTPException, CartridgeError) as error:
                return str(error) or type(error).__name__
        return "" if answer.status in _FINE else said


def main(socket: str) -> None:
    """Serve standard input until it ends."""
    os.setsid()  # a terminal's Ctrl-C is its caller's to answer
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    pauses = Pauses(Path(socket))
    incoming = b""
    while True:
        patience = max(0.0, pauses.ends - _CLOCK.monotonic()) if pauses.ends else None
        if not select.select([0], [], [], patience)[0]:
            pauses.resume()
            continue
        data = os.read(0, 1 << 16)
        if not data:
            break
        incoming += data
        while b"\n" in incoming:
            line, _, incoming = incoming.partition(b"\n")
            _answer(pauses, line.decode().split())
    pauses.resume()


def _answer(pauses: Pauses, words: Sequence[str]) -> None:
    said = pauses.pause(float(words[1]), words[2:]) if words[0] == "pause" else " ".join(pauses.resume())
    with contextlib.suppress(OSError):  # the caller is gone: the end of its input says so next
        sys.stdout.write(said.replace("\n", " ") + "\n")
        sys.stdout.flush()
