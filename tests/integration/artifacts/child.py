"""Installs one artifact in a process of its own, which a test can kill; its journal comes out as lines.

`python child.py STORE TOOLS`, then one JSON object on standard input: declaration, lock, and where to die. It is a
real run of `ensure`; only the places at which it ends itself are made for the test.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path

from cartridge.artifacts import pins
from cartridge.artifacts.install import ensure
from cartridge.artifacts.receipt import Receipt
from cartridge.artifacts.sources import Sources
from cartridge.artifacts.store import Store
from cartridge.clock import SystemClock
from cartridge.errors import CartridgeError
from cartridge.journal.recorder import Entry, Recorder, encode
from cartridge.model.artifact import Artifact


class DyingStore(Store):
    """A store whose process is killed right before a named act."""

    dies_at = ""

    def commit(self, folder: Path, receipt: Receipt) -> Receipt:
        """Die before anything is renamed, where that was asked for."""
        self._perhaps_die("commit")
        return super().commit(folder, receipt)

    def write(self, path: Path, content: bytes) -> None:
        """Die after the rename, before the receipt, where that was asked for."""
        self._perhaps_die("receipt")
        super().write(path, content)

    def _perhaps_die(self, act: str) -> None:
        if self.dies_at == act:
            os.kill(os.getpid(), signal.SIGKILL)


def tell(entry: Entry) -> None:
    """Print an entry of the journal as a line."""
    sys.stdout.write(encode(entry).decode())
    sys.stdout.flush()


def main() -> int:
    """Install what standard input asks for and print its digest, or the code of the error."""
    asked = json.loads(sys.stdin.readline())
    if asked["largest_file"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["largest_file"], asked["largest_file"]))
    store = DyingStore(Path(sys.argv[1]))
    store.dies_at = asked["dies_at"]
    clock = SystemClock()
    sources = Sources(store, Path(sys.argv[2]), Recorder(clock, None, (tell,)), clock)
    declaration = Artifact.model_validate_json(json.dumps(asked["declaration"]))
    try:
        installed = ensure("thing", declaration, pins.decode(json.dumps(asked["lock"]).encode()), sources)
    except CartridgeError as error:
        sys.stdout.write(json.dumps({"error": error.code, "details": error.details}) + "\n")
        return int(error.exit_status)
    sys.stdout.write(json.dumps({"digest": installed.digest}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
