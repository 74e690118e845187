"""Runs `cartridge` in a process of its own that is forked from one which has imported it, not started from nothing.

A test run makes more than a thousand of them, and four fifths of what such a run costs is imports. Its folder,
environment, streams and end are its own, as at a prompt. What a start imports, and when, is tested elsewhere
(tests/architecture/test_start.py), and so is the program as a user starts it (tests/examples, `Project.mortal`).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SERVER = multiprocessing.get_context("forkserver")
"""A single-threaded process that forks: one for each worker of the test run, started with its first `cartridge`."""

IMPORTED = [
    "cartridge.__main__",
    "cartridge.deploy.direct",
    "cartridge.deploy.pulumi.engine",
    "cartridge.deploy.pulumi.language",
    "cartridge.deploy.pulumi.operations",
    "cartridge.deploy.pulumi.program",
    "cartridge.deploy.pulumi.provider",
    "cartridge.deploy.pulumi.server",
    "cartridge.operations.down",
    "cartridge.operations.drift",
    "cartridge.operations.fork",
    "cartridge.operations.fund",
    "cartridge.operations.mine",
    "cartridge.operations.pay",
    "cartridge.operations.restore",
    "cartridge.operations.up",
    "cartridge.surfaces.cli.app",
    "cartridge.surfaces.cli.commands.down",
    "cartridge.surfaces.cli.commands.pay",
    "cartridge.surfaces.cli.commands.up",
    "docker",
]
SERVER.set_forkserver_preload(IMPORTED)


class Forked:
    """One run of `cartridge`, with the methods of `subprocess.Popen` that tests use.

    Args:
        arguments: of `cartridge`.
        folder: to run in.
        environment: all of it.
        output: takes its standard output; its input is empty.
        errors: takes its standard error.
    """

    def __init__(
        self, arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str], output: Path, errors: Path
    ) -> None:
        given = (arguments, str(folder), dict(environment), str(output), str(errors))
        self._process = SERVER.Process(target=_run, args=given)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Return its exit status, or minus the signal that ended it; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """Return the same once it has ended.

        Raises:
            subprocess.TimeoutExpired: it has not, after so many seconds.
        """
        self._process.join(timeout)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired("cartridge", timeout)
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def _run(arguments: tuple[str, ...], folder: str, environment: dict[str, str], output: str, errors: str) -> None:
    """Become `cartridge`, in the process that was forked."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    adding = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for number, path, flags in ((0, os.devnull, os.O_RDONLY), (1, output, adding), (2, errors, adding)):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the process lives
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.argv = ["cartridge", *arguments]

    from cartridge.__main__ import main

    main()
