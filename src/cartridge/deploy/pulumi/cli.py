"""Runs the Pulumi CLI: one process an operation, in its own session, its words in a file, its calls to our server.

A terminal's Ctrl-C does not reach it: at the first one whoever holds its resources lets them go, and it ends by itself;
at the second it is killed, which the next operation mends. It dies with us where the system can see to that
(`setpriv`), and ends by itself within seconds where not. Never a secret on its command line.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from cartridge import spawn
from cartridge.deploy.pulumi.backend import Backend
from cartridge.deploy.pulumi.events import Heard
from cartridge.errors import InterruptError

if TYPE_CHECKING:
    from cartridge.deploy.pulumi.server import Server, Services

QUIET = ("--non-interactive", "--suppress-progress", "--suppress-outputs", "--color", "never")


class Cli(Struct, frozen=True):
    """A Pulumi CLI and the stack it works on.

    Attributes:
        program: the executable.
        backend: the stack's files.
        path: PATH for it.
        home: HOME for it.
    """

    program: Path
    backend: Backend
    path: str
    home: Path


class Ended(Struct, frozen=True):
    """How an operation ended: the CLI's exit status, what was heard, the last lines it wrote."""

    status: int
    heard: Heard
    tail: tuple[str, ...]


def operate(cli: Cli, operation: str, flags: Sequence[str], serve: Callable[[], Services], heard: Heard) -> Ended:
    """Run one operation to its end.

    Args:
        cli: what to run, on what.
        operation: `up`, `destroy`, `refresh` or `preview`.
        flags: beside those every operation has.
        serve: returns what the CLI is answered with; called once the CLI is starting.
        heard: filled from its events.

    Raises:
        InterruptError: Ctrl-C; the CLI has ended.
        MissingError: `program-missing`.
    """
    from cartridge.deploy.pulumi.server import Server

    with _reserved_port() as port:
        server = Server(port)
        server.start()  # before the CLI, which gives up at once where nobody listens
        try:
            process = _started(cli, operation, flags, port)
            try:
                status = _served(process, server, serve, heard)
            except BaseException:
                process.kill()
                process.wait()
                raise
        finally:
            server.stop()
    return Ended(status, heard, tail(cli.backend.work / f"{operation}.log"))


def _started(cli: Cli, operation: str, flags: Sequence[str], port: int) -> Running:
    with (cli.backend.work / f"{operation}.log").open("wb") as sink:
        return spawn.start(
            [
                *_patiently(operation),
                *_dying_with_us(),
                str(cli.program),
                *arguments(cli.backend.stack, operation, flags, port),
            ],
            cwd=cli.backend.work,
            environment=environment(cli, port),
            output=sink,
            session=True,
        )


def _served(process: Running, server: Server, serve: Callable[[], Services], heard: Heard) -> int:
    """Answer the process until it ends and return its status; its first calls wait until our imports are done."""
    server.provide(serve())
    status = _wait(process)
    if status == 0:
        heard.ended.wait(2.0)
    return status


@contextlib.contextmanager
def _reserved_port() -> Iterator[int]:
    """Keep a port of the loopback that only a server of this user can share, so that its number is known early."""
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]


def arguments(stack: str, operation: str, flags: Sequence[str], port: int) -> list[str]:
    """Return the command line of an operation."""
    once = [] if operation == "preview" else ["--yes", "--skip-preview"]
    return [
        operation,
        *once,
        *QUIET,
        "--stack",
        stack,
        "--parallel",
        "64",
        f"--client=127.0.0.1:{port}",
        "--exec-kind",
        "auto.inline",
        "--event-log",
        f"tcp://127.0.0.1:{port}",
        *flags,
    ]


def environment(cli: Cli, port: int) -> dict[str, str]:
    """Return the whole environment of the CLI."""
    return {
        "PATH": cli.path,
        "HOME": str(cli.home),
        "LC_ALL": "C.UTF-8",
        "GOGC": "off",  # it lives for a second; the limit is for what nobody foresaw
        "GOMEMLIMIT": "1GiB",
        **cli.backend.environment(),
        "PULUMI_HOME": str(cli.backend.work / "home"),
        "PULUMI_DEBUG_PROVIDERS": f"cartridge:{port}",
        "PULUMI_DEBUG_COMMANDS": "true",
        "PULUMI_AUTOMATION_API": "true",
    }


def initialise(cli: Cli) -> None:
    """Make the stack the slow way, for a CLI that does not take a state written by hand.

    Raises:
        ApplyError: `program-failed`.
    """
    cli.backend.state_file.unlink(missing_ok=True)
    spawn.run(
        [str(cli.program), "stack", "init", cli.backend.stack, "--non-interactive"],
        cwd=cli.backend.work,
        environment=environment(cli, 1),
        timeout=60,
        check=True,
    )


def tail(log: Path, lines: int = 12) -> tuple[str, ...]:
    """Return the last lines of a file that say something."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ()
    return tuple(line.rstrip() for line in text.splitlines() if line.strip())[-lines:]


def _patiently(operation: str) -> tuple[str, ...]:
    """Let an `up` stand back behind the containers that start meanwhile: nobody waits for it before they do."""
    found = shutil.which("nice") if operation == "up" else None
    return (found, "-n", "10") if found else ()


def _dying_with_us() -> tuple[str, ...]:
    found = shutil.which("setpriv")
    return (found, "--pdeathsig", "TERM", "--") if found else ()


class Running(Protocol):
    """A process under way."""

    def wait(self) -> int:
        """Return its exit status when it has ended."""

    def kill(self) -> None:
        """End it at once."""


def _wait(process: Running) -> int:
    """Return the status; a KeyboardInterrupt here is the user's second Ctrl-C, so the process is killed."""
    try:
        return process.wait()
    except KeyboardInterrupt as error:
        process.kill()
        process.wait()
        raise InterruptError from error
