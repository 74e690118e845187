"""Holds a run at each named step until whoever listens on a Unix socket lets it go on.

For the harness that kills at every step: it sees `step-started` before the step's first act, and the run waits
for one byte. Without `CARTRIDGE_STEP_GATE` nothing here is imported.
"""

from __future__ import annotations

import socket
from pathlib import Path

from cartridge.journal.events import StepEnded, StepStarted
from cartridge.journal.recorder import Entry, Listener


def step_gate(path: Path) -> Listener:
    """Return a listener that announces each step on the socket at `path` and waits for one byte.

    Raises:
        OSError: nobody listens there.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))

    def hold(entry: Entry) -> None:
        if isinstance(entry.event, StepStarted | StepEnded):
            connection.sendall(f"{entry.event.type} {entry.event.step}\n".encode())
            connection.recv(1)

    return hold
