"""The grip on a stack's processes: a look, a log, a program beside one, a stop, a start.

Passes tests/conformance/test_driver.py. What lies on disk (log, data, address) can be had without a guardian;
what concerns processes cannot.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cartridge import spawn
from cartridge.errors import MissingError
from cartridge.targets import secrets
from cartridge.targets.driver import Address, ComponentState, Condition, Ran
from cartridge.targets.process import logs, wire
from cartridge.targets.process.client import PATIENCE, Guardian, Look
from cartridge.targets.process.deaths import ProcessDeaths
from cartridge.targets.process.layout import Layout, Record

PAUSE = 0.025
"""Seconds between two looks at a log that is followed."""


class ProcessDriver:
    """The driver of one stack.

    Args:
        stack: the stack's id.
        layout: its folders.
        guardian: its guardian, alive or not.
        variable: the caller's environment, for references to secrets.
    """

    def __init__(self, stack: str, layout: Layout, guardian: Guardian, variable: secrets.Variable) -> None:
        self._stack, self._layout, self._guardian, self._variable = stack, layout, guardian, variable

    def conditions(self) -> Mapping[str, Condition]:
        """Return a look at every component, by name; without a guardian all have failed, for they died with it."""
        records = self._layout.records()
        try:
            looks = self._guardian.looks()
        except MissingError:
            return {name: Condition(name, ComponentState.FAILED) for name in records}
        return {name: _condition(name, looks.get(name)) for name in sorted({*records, *looks})}

    def deaths(self) -> ProcessDeaths:
        """Begin to watch for components that end by themselves.

        Raises:
            MissingError: `target-down`.
        """
        return ProcessDeaths(self._guardian.changes())

    def address(self, component: str, port: str) -> Address:
        """Return where `port` of `component` is reached from this machine.

        Raises:
            MissingError: `component-unknown`, `port-unknown`.
        """
        ports = self._record(component).ports
        if port not in ports:
            known = ", ".join(f"`{name}`" for name in sorted(ports)) or "none"
            raise MissingError(
                f"`{component}` has no port `{port}`", code="port-unknown", resolution=f"its ports are: {known}"
            )
        return Address(wire.LOOPBACK, ports[port])

    def logs(self, component: str, *, tail: int | None = None, follow: bool = False) -> Iterator[bytes]:
        """Yield the component's log as lines without their ends, oldest first; rotation goes unnoticed."""
        self._record(component)
        path = self._layout.log(component)
        return self._follow(component, path, tail) if follow else logs.lines(path, tail)

    def run(self, component: str, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Ran:
        """Run a program in the component's environment and data folder; its own programs are looked up first."""
        record = self._record(component)
        done = spawn.capture(
            _found(record, argv),
            cwd=self._layout.data(component),
            environment=self._environment(record),
            stdin=stdin,
            timeout=timeout,
        )
        return Ran(done.status, done.stdout, done.stderr)

    def interactive(self, component: str, argv: Sequence[str]) -> int:
        """Run a program there on this terminal and return its exit status."""
        record = self._record(component)
        terminal = {name: value for name in ("TERM", "PATH", "HOME", "LANG") if (value := self._variable(name))}
        environment = {**terminal, **self._environment(record)}
        return spawn.attach(_found(record, argv), cwd=self._layout.data(component), environment=environment)

    def stop(self, component: str, *, within: int | None = None) -> None:
        """End the component as its `stop` says, or within so many seconds, and return when it has ended."""
        record = self._record(component)
        self._guardian.end([component], patience=record.grace + PATIENCE, within=within)

    def kill(self, component: str) -> None:
        """End the component by SIGKILL; what it had started goes with it."""
        self._record(component)
        look = next((look for name, look in self._guardian.looks().items() if name == component), None)
        if look is not None and look.state == ComponentState.RUNNING and look.pid:
            with contextlib.suppress(ProcessLookupError):  # it ended a moment ago
                os.kill(look.pid, signal.SIGKILL)

    def start(self, component: str) -> None:
        """Start a stopped, done or failed component again on the same data and ports."""
        record = self._record(component)
        self._guardian.start(self._layout.definition(record), secrets.resolve(record.environment, self._variable))

    def read(self, component: str, path: str) -> bytes:
        """Return the bytes of a file; a relative path starts at the component's data folder."""
        self._record(component)
        try:
            return (self._layout.data(component) / path).read_bytes()
        except OSError as error:
            raise MissingError(f"`{component}` has no file `{path}`: {error.strerror}", code="file-missing") from error

    def data_folder(self, component: str) -> Path | None:
        """Return the data folder on this machine."""
        self._record(component)
        return self._layout.data(component)

    def _record(self, component: str) -> Record:
        record = self._layout.record(component)
        if record is None:
            known = ", ".join(f"`{name}`" for name in self._layout.names()) or "none"
            raise MissingError(
                f"`{self._stack}` has no component `{component}`",
                code="component-unknown",
                resolution=f"its components are: {known}",
            )
        return record

    def _environment(self, record: Record) -> Mapping[str, str]:
        marks = {wire.STACK_MARK: self._stack, wire.COMPONENT_MARK: record.name}
        return {**secrets.resolve(record.environment, self._variable), **marks}

    def _follow(self, component: str, path: Path, tail: int | None) -> Iterator[bytes]:
        with self._guardian.changes() as changes:
            alive = True

            def more() -> bool:
                nonlocal alive
                for look in changes.next(PAUSE):
                    if look.name == component:
                        alive = look.state == ComponentState.RUNNING
                return alive

            yield from logs.lines(path, tail, more)


def _condition(name: str, look: Look | None) -> Condition:
    if look is None:
        return Condition(name, ComponentState.PENDING)
    return Condition(
        name=name,
        state=ComponentState(look.state),
        identity=str(look.pid) if look.pid else "",
        exit_status=look.exit_status,
        started=look.started,
        restarts=look.restarts,
    )


def _found(record: Record, argv: Sequence[str]) -> list[str]:
    program, *rest = argv
    return [record.programs.get(program, program), *rest]
