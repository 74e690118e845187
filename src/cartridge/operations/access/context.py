"""What every verb is given: the settings, the clock, the journal, and where this project keeps its state.

`Context.open` is the composition root's first act. It reads no document; a verb that needs them asks `workspace()`.
"""

from __future__ import annotations

import getpass
import hashlib
import platform
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from cartridge import __version__
from cartridge.clock import Clock, SystemClock
from cartridge.errors import InterruptError
from cartridge.journal import runs
from cartridge.journal.events import RunStarted
from cartridge.journal.recorder import Listener, Recorder
from cartridge.operations.access.stages import Stages
from cartridge.workspace import inputs
from cartridge.workspace import settings as environment
from cartridge.workspace.branch import branch
from cartridge.workspace.project import Project, find

if TYPE_CHECKING:
    from cartridge.workspace.load import Workspace
    from cartridge.workspace.resolved import ResolvedStack


class Options(Struct, frozen=True):
    """The flags that mean the same for every verb.

    Attributes:
        files: documents named with `-f`, in order.
        stack: a stack's name or id.
        target: overrides the stack's.
        bindings: `--set`, setting to text.
        isolated: give the stack a name of its own for this job or branch.
        ttl: milliseconds after which the stack ends by itself.
        wait_timeout: milliseconds to wait for readiness; None for the components' own limits.
        offline: never open a connection off this machine.
        force_close: close by force the channels whose ends do not agree to close them.
    """

    files: tuple[str, ...] = ()
    stack: str | None = None
    target: str | None = None
    bindings: Mapping[str, str] = msgspec.field(default_factory=dict)
    isolated: bool = False
    ttl: int | None = None
    wait_timeout: int | None = None
    offline: bool = False
    force_close: bool = False


@dataclass(slots=True)
class Context:
    """Everything a verb works with.

    Attributes:
        options: the flags.
        settings: the environment, read once.
        clock: the time.
        recorder: the journal of this run.
        cancelled: set by Ctrl-C.
        project: where documents and state are.
        verb: what was typed.
        stages: the critical chain of this run, from its own journal.
        named: whether the journal says which stack this run is about.
    """

    options: Options
    settings: environment.Settings
    clock: Clock
    recorder: Recorder
    cancelled: threading.Event
    project: Project
    verb: str
    stages: Stages
    named: bool = field(default=False, init=False)

    @classmethod
    def open(
        cls, options: Options, verb: str, listeners: tuple[Listener, ...] = (), clock: Clock | None = None
    ) -> Context:
        """Return the context of one run.

        Args:
            options: the flags.
            verb: what was typed; names the journal file.
            listeners: told of every event.
            clock: the time; the system's own unless a test says otherwise.
        """
        clock = clock or SystemClock()
        settings = environment.read()
        project = find(settings)
        journal = runs.path_for(project.state / "journal", clock.now(), verb) if verb in JOURNALED else None
        gate = (_step_gate(settings.step_gate),) if settings.step_gate else ()
        stages = Stages()
        recorder = Recorder(clock, journal, (stages, *listeners, *gate))
        return cls(options, settings, clock, recorder, threading.Event(), project, verb, stages)

    def about(self, stack: str, target: str) -> None:
        """Say in the journal which stack this run is about: its id and where it runs; only the first time."""
        if not self.named:
            self.named = True
            self.recorder.record(RunStarted(self.verb, stack, target, __version__))

    def limit(self, seconds: float) -> float:
        """Return for how many seconds this run waits for something: what `--wait-timeout` says, else `seconds`."""
        given = self.options.wait_timeout
        return seconds if given is None else given / 1000

    def go_on(self) -> None:
        """Return while nobody has asked this run to end.

        Raises:
            InterruptError: Ctrl-C.
        """
        if self.cancelled.is_set():
            raise InterruptError

    def close(self) -> None:
        """End the run's journal, and remove the oldest ones where there are many."""
        self.recorder.close()
        if self.verb in JOURNALED:
            runs.retain(self.project.state / "journal")

    def workspace(self) -> Workspace:
        """Read every document of the project.

        Raises:
            DocumentsError: all findings at once.
        """
        from cartridge.workspace.load import load

        return load(self.project, self.options.files)

    def resolved(self) -> ResolvedStack:
        """Return the stack the flags choose, resolved.

        Raises:
            DocumentsError: all findings at once.
            InputError: no such stack, or several and none chosen.
        """
        from cartridge.workspace.resolve import resolve

        return resolve(self.workspace(), self.options.stack, target=self.options.target, bindings=self.options.bindings)

    def stack_id(self, name: str) -> str:
        """Return the id of the stack called `name`: unique for the project's folder; if isolated, for job or branch."""
        place = str(self.project.root.resolve())
        told_apart = f"{place}\0{self._isolation()}".encode()
        return f"{name}-{hashlib.sha256(told_apart).hexdigest()[:6]}"

    def folder(self, stack_id: str) -> Path:
        """Return where the stack's state is."""
        return self.project.state / stack_id

    def fingerprint(self) -> str:
        """Return the SHA-256 (hex) over all that `up` depends on: files, flags and our own version."""
        options = self.options
        flags = [options.stack, options.target, sorted(options.bindings.items()), self._isolation()]
        read = sorted(inputs.inputs(self.project, options.files).items())
        return hashlib.sha256(repr((__version__, read, flags)).encode()).hexdigest()

    def _isolation(self) -> str:
        """Return what an isolated stack is told apart by: the environment's word, else the branch; "" for no such."""
        return (self.settings.isolation or branch(self.project.root) or "isolated") if self.options.isolated else ""

    def owner(self) -> str:
        """Return whose a resource is: `user@host:project-root`."""
        return f"{getpass.getuser()}@{platform.node()}:{self.project.root}"


JOURNALED = frozenset(
    {
        "up",
        "down",
        "wait",
        "mine",
        "fund",
        "pay",
        "gc",
        "lock",
        "exec",
        "verify",
        "snapshot",
        "restore",
        "fork",
        "invoice",
        "channel",
        "reorg",
        "block-interval",
        "fee",
        "faucet",
    }
)
"""Verbs that do something; looking leaves no trace."""


def _step_gate(path: Path) -> Listener:
    from cartridge.journal.gate import step_gate

    return step_gate(path)
