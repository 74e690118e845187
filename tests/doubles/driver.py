"""A driver whose components live in memory: they start at once, say what they were told to, and end on request.

Passes the conformance suite of `targets.driver.Driver`. A component's command is its script: each `--say LINE` is
a line of its log, `--exit STATUS` ends it at once; without that it stays.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cartridge.errors import MissingError
from cartridge.targets.driver import Address, ComponentState, Condition, Ran

Program = Callable[[Sequence[str], bytes], Ran]
"""What `run` finds under a name: arguments and stdin in, status and output out."""

PROGRAMS: Mapping[str, Program] = {
    "cat": lambda _, stdin: Ran(0, stdin, b""),
    "false": lambda *_: Ran(1, b"", b""),
}
"""What every fake component can run."""


@dataclass
class FakeComponent:
    """A component in memory: what it is, what it has, what it said."""

    name: str
    digest: str
    command: tuple[str, ...]
    ports: Mapping[str, int]
    one_shot: bool = False
    data: dict[str, bytes] = field(default_factory=dict)
    config: dict[str, bytes] = field(default_factory=dict)
    log: list[bytes] = field(default_factory=list)
    state: ComponentState = ComponentState.PENDING
    exit_status: int | None = None
    starts: int = 0

    def start(self) -> None:
        """Run the script."""
        self.starts += 1
        self.state, self.exit_status = ComponentState.RUNNING, None
        words = iter(self.command[1:])
        for word in words:
            if word == "--say":
                self.log.append(next(words).encode())
            if word == "--exit":
                self.end(int(next(words)))

    def end(self, status: int, *, asked: bool = False) -> None:
        """End with a status: by itself, or because it was asked to."""
        self.exit_status = status
        if asked:
            self.state = ComponentState.STOPPED
        else:
            is_done = self.one_shot and status == 0
            self.state = ComponentState.DONE if is_done else ComponentState.FAILED

    def condition(self) -> Condition:
        """Return a look at it."""
        runs = self.state is ComponentState.RUNNING
        return Condition(
            self.name,
            self.state,
            identity=f"{self.name}-{self.starts}" if runs else "",
            exit_status=self.exit_status,
            started="2030-01-01T00:00:00+00:00" if self.starts else "",
            restarts=max(0, self.starts - 1),
        )


class FakeDeaths:
    """The watch on components in memory."""

    def __init__(self, driver: FakeDriver) -> None:
        self._driver, self._closed, self._told = driver, False, set[tuple[str, int]]()

    def __iter__(self) -> Iterator[str]:
        """Yield those that have failed, then each that does."""
        while not self._closed:
            fresh = self._driver.failed() - self._told
            self._told |= fresh
            yield from sorted(name for name, _ in fresh)
            self._driver.wait(self._has_news)

    def close(self) -> None:
        """End it."""
        self._closed = True
        self._driver.notify()

    def _has_news(self) -> bool:
        return self._closed or bool(self._driver.failed() - self._told)


class FakeDriver:
    """The grip on components in memory.

    Args:
        components: by name; shared with whoever makes and removes them.
        programs: what `run` can run, beside `PROGRAMS`.
    """

    def __init__(
        self, components: dict[str, FakeComponent] | None = None, programs: Mapping[str, Program] | None = None
    ) -> None:
        self.components = {} if components is None else components
        self._programs = {**PROGRAMS, **(programs or {})}
        self._changed = threading.Condition()

    def conditions(self) -> Mapping[str, Condition]:
        """Return a look at every component, by name."""
        return {name: component.condition() for name, component in self.components.items()}

    def deaths(self) -> FakeDeaths:
        """Begin to watch for components that end by themselves."""
        return FakeDeaths(self)

    def failed(self) -> set[tuple[str, int]]:
        """Return the components that have failed, each with how often it was started."""
        return {(one.name, one.starts) for one in self.components.values() if one.state is ComponentState.FAILED}

    def address(self, component: str, port: str) -> Address:
        """Return where `port` of `component` is reached."""
        ports = self._component(component).ports
        if port not in ports:
            raise MissingError(f"`{component}` has no port `{port}`", code="port-unknown")
        return Address("127.0.0.1", ports[port])

    def logs(self, component: str, *, tail: int | None = None, follow: bool = False) -> Iterator[bytes]:
        """Yield the component's log; to follow waits until it ends."""
        found = self._component(component)
        return self._follow(found, tail) if follow else iter(_last(found.log, tail))

    def run(self, component: str, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Ran:
        """Run one of the programs; `timeout` never passes."""
        self._component(component)
        if argv[0] not in self._programs:
            raise MissingError(f"`{argv[0]}` cannot be run", code="program-missing")
        return self._programs[argv[0]](argv[1:], stdin)

    def interactive(self, component: str, argv: Sequence[str]) -> int:
        """Run one of the programs and return its exit status."""
        return self.run(component, argv).status

    def stop(self, component: str, *, within: int | None = None) -> None:
        """End the component; one that is deaf is killed."""
        del within  # no time passes here
        found = self._component(component)
        if found.state is ComponentState.RUNNING:
            found.end(-9 if "--deaf" in found.command else -15, asked=True)
        self.notify()

    def kill(self, component: str) -> None:
        """Crash the component."""
        found = self._component(component)
        if found.state is ComponentState.RUNNING:
            found.end(-9)
        self.notify()

    def start(self, component: str) -> None:
        """Start the component again."""
        found = self._component(component)
        if found.state is not ComponentState.RUNNING:
            found.start()
        self.notify()

    def read(self, component: str, path: str) -> bytes:
        """Return the bytes of a file of its data, or of a rendered one."""
        found = self._component(component)
        files = {**found.data, **{f"/{component}/config/{name}": content for name, content in found.config.items()}}
        if path not in files:
            raise MissingError(f"`{component}` has no file `{path}`", code="file-missing")
        return files[path]

    def data_folder(self, component: str) -> Path | None:
        """Return None: there is no such path."""
        self._component(component)
        return None

    def die(self, component: str, status: int) -> None:
        """Let the component end by itself."""
        self._component(component).end(status)
        self.notify()

    def say(self, component: str, line: str) -> None:
        """Let the component write a line."""
        self._component(component).log.append(line.encode())
        self.notify()

    def _component(self, name: str) -> FakeComponent:
        if name not in self.components:
            raise MissingError(f"there is no component `{name}`", code="component-unknown")
        return self.components[name]

    def _follow(self, component: FakeComponent, tail: int | None) -> Iterator[bytes]:
        fresh = list(component.log)
        seen = len(fresh)
        yield from _last(fresh, tail)
        while fresh := self._later(component, seen):
            seen += len(fresh)
            yield from fresh

    def _later(self, component: FakeComponent, seen: int) -> list[bytes]:
        """Wait for lines after the first `seen`; none when the component has ended."""
        self.wait(lambda: len(component.log) > seen or component.state is not ComponentState.RUNNING)
        return component.log[seen:]

    def wait(self, condition: Callable[[], object]) -> None:
        """Return when `condition()` is true; it is asked again at every change."""
        with self._changed:
            self._changed.wait_for(condition)

    def notify(self) -> None:
        """Wake who waits for a change."""
        with self._changed:
            self._changed.notify_all()


def _last(lines: Sequence[bytes], tail: int | None) -> list[bytes]:
    return list(lines if tail is None else lines[len(lines) - min(tail, len(lines)) :])
