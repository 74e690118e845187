"""What every target can do with a component that exists: look, read its log, run a program in it, stop, start.

A driver commands what runs; it never decides what should run (that is `deploy`'s) and never waits for
readiness (that is `probes`'). All drivers pass tests/conformance/test_driver.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum, unique
from pathlib import Path
from typing import Protocol

from msgspec import Struct


@unique
class ComponentState(StrEnum):
    """What a component is doing, as its target sees it."""

    ABSENT = "absent"  # the target knows nothing of it
    PENDING = "pending"  # it exists and was not started yet
    RUNNING = "running"  # its process is alive
    DONE = "done"  # a one-shot that ended with status 0
    STOPPED = "stopped"  # it was ended on request
    FAILED = "failed"  # it ended by itself


class Condition(Struct, frozen=True):
    """A dated look at one component.

    Attributes:
        name: the component.
        state: what it is doing.
        identity: pid or container id, "" where absent.
        exit_status: how it ended; negative is minus the signal; None while it runs.
        started: ISO 8601 in UTC, "" if never.
        restarts: how often it was started again since it was made.
    """

    name: str
    state: ComponentState
    identity: str = ""
    exit_status: int | None = None
    started: str = ""
    restarts: int = 0


class Ran(Struct, frozen=True):
    """A program run inside a component: its exit status and output."""

    status: int
    stdout: bytes
    stderr: bytes


class Address(Struct, frozen=True):
    """Where a port of a component is reached from this machine."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Deaths(Protocol):
    """A watch on the components of one stack; waiting in it costs nothing."""

    def __iter__(self) -> Iterator[str]:
        """Yield the name of each component that has failed: those that had already first, the others as they do.

        May name one twice. Ends with `close`.

        Raises:
            MissingError: `target-down`, nobody would tell any more.
        """

    def close(self) -> None:
        """End the watch; an iteration under way in another thread ends."""


class Driver(Protocol):
    """The grip on the components of one stack on one target.

    Every method raises MissingError (`component-unknown`) for a component the stack does not have, and
    MissingError (`target-down`) when the target itself does not answer.
    """

    def conditions(self) -> Mapping[str, Condition]:
        """Return a look at every component, by name."""

    def deaths(self) -> Deaths:
        """Begin to watch for components that end by themselves; whoever waits for one need not wait in vain."""

    def address(self, component: str, port: str) -> Address:
        """Return where `port` of `component` is reached from this machine."""

    def logs(self, component: str, *, tail: int | None = None, follow: bool = False) -> Iterator[bytes]:
        """Yield the component's log as lines without their ends, oldest first.

        Args:
            component: whose.
            tail: only the last so many; None for all that is kept.
            follow: go on until the component ends.
        """

    def run(self, component: str, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Ran:
        """Run a program where the component runs: its environment, its files, its data.

        On the process target the program's name is first looked up among the component's own binaries.
        """

    def interactive(self, component: str, argv: Sequence[str]) -> int:
        """Run a program there on this terminal and return its exit status."""

    def stop(self, component: str, *, within: int | None = None) -> None:
        """End the component as its `stop` says and return when it has ended.

        Args:
            component: its name.
            within: seconds after which it is killed, whatever its grace.
        """

    def kill(self, component: str) -> None:
        """End the component by SIGKILL, as a crash would: it has failed then; no error where it does not run."""

    def start(self, component: str) -> None:
        """Start a stopped, done or failed component again on the same data and ports."""

    def read(self, component: str, path: str) -> bytes:
        """Return the bytes of a file; `path` as the component sees it, or relative to its data folder.

        Raises:
            MissingError: `file-missing`.
        """

    def data_folder(self, component: str) -> Path | None:
        """Return the data folder on this machine, or None where there is no such path."""
