"""Speaks to a stack's guardian, and starts it where there is none.

One connection a request, so any number of threads may ask at once. Decides nothing about components; waits for
nothing but answers. Imports only what every verb has imported anyway.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from msgspec import Struct

from cartridge import spawn
from cartridge.clock import Clock, SystemClock
from cartridge.errors import ApplyError, CartridgeError, MissingError
from cartridge.targets.process import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

PATIENCE = 10.0
"""Seconds in which a guardian must start, and answer what needs no waiting."""

GREETING = 5.0
"""Seconds for a guardian to say that it is there, which takes it a thousandth of one."""

_PROGRAM = "import sys; sys.path.insert(0, sys.argv.pop(1)); from cartridge.targets.process.launch import main; main()"
_HELD = 3
_RESOLUTIONS = {
    "component-unstartable": "see that the program and the component's data folder are there",
    "component-not-running": "start it: `cartridge up`",
    "component-running": "wait for the run that is at work on it, then try again",
    "guardian-closing": "wait a moment, then `cartridge up` again",
}


class Look(Struct, frozen=True):
    """A component as its guardian knows it.

    Attributes:
        name: the component.
        digest: of what it was started as.
        state: a `ComponentState`.
        pid: 0 where nothing runs.
        start_time: of the process, in clock ticks since boot; with the pid it is unique.
        exit_status: how it ended; minus the signal; None while it runs.
        started: ISO 8601 in UTC, "" if never.
        restarts: since the guardian knows it.
    """

    name: str
    digest: str
    state: str
    pid: int
    start_time: int
    exit_status: int | None
    started: str
    restarts: int


class Definition(Struct, frozen=True):
    """What the guardian must know to start a component; its environment goes along but is not kept.

    Attributes:
        name: the component.
        digest: of what it is; a running one with the same digest is kept.
        argv: program (absolute path) and arguments.
        cwd: folder to run in.
        log: path of its log.
        stop: signal's number, and seconds until it is killed.
        depends_on: components that are ended after it.
        one_shot: whether ending with status 0 is what it is for.
    """

    name: str
    digest: str
    argv: tuple[str, ...]
    cwd: str
    log: str
    stop: tuple[int, float]
    depends_on: tuple[str, ...]
    one_shot: bool


class Hello(Struct, frozen=True):
    """Who answers: protocol, stack, and the pids of the guardian and its watcher."""

    protocol: int
    stack: str
    pid: int
    watcher: int


class Guardian:
    """The guardian of one stack, as its clients see it.

    Args:
        stack: the stack's id.
        runtime: folder of sockets, short; made 0700.
        folder: the stack's own folder.
        clock: what waiting passes by.
    """

    def __init__(self, stack: str, runtime: Path, folder: Path, clock: Clock | None = None) -> None:
        from cartridge.targets.process.runtime import stack_folder

        self._stack, self._base, self._own = stack, runtime, stack_folder(runtime, stack)
        self._folder, self._clock = folder, clock or SystemClock()

    def ensure(self, expires: float, belongings: Sequence[Path]) -> None:
        """Start the guardian where none lives, and give it the lease.

        Args:
            expires: end of the lease, in seconds since 1970; 0 for never.
            belongings: what it removes when the lease ends or the stack is destroyed.

        Raises:
            ApplyError: `guardian-failed`, it does not start, or `guardian-version`.
            MissingError: `runtime-folder-unsafe`.
        """
        from cartridge.targets.process.runtime import make_private

        make_private(self._base)
        deadline = self._clock.monotonic() + PATIENCE
        while not self._is_taken_up(expires, belongings):
            if self._clock.monotonic() > deadline:
                raise self._failed("another one lives, or is ending, and does not go")
            self._clock.wait(0.01)

    def _is_taken_up(self, expires: float, belongings: Sequence[Path]) -> bool:
        """Give the lease to whoever lives, or to one that is started; return False while neither can be done."""
        hello = self.hello()
        if hello is None:
            return self._launch(expires, belongings) != _HELD
        if hello.protocol != wire.PROTOCOL:
            raise ApplyError(
                "this stack's guardian is of another version of cartridge",
                code="guardian-version",
                resolution="`cartridge down` with the version that started it, then `cartridge up`",
            )
        try:
            self.ask("renew", expires=expires, belongings=[str(path) for path in belongings])
        except (ApplyError, MissingError) as error:
            if error.code not in ("guardian-closing", "target-down"):
                raise
            return False  # its old lease ran out a moment ago
        return True

    @property
    def runtime(self) -> Path:
        """The folder of the guardian's socket: where the living one says it is, else where a new one would be."""
        try:
            return Path(os.readlink(self._folder / wire.LINK))
        except OSError:
            return self._own

    def hello(self) -> Hello | None:
        """Return who answers, or None where no guardian lives."""
        try:
            return Hello(**self.ask("hello", GREETING))
        except MissingError:
            return None

    def reserve(self, wanted: Sequence[tuple[str, str, int, bool]]) -> Mapping[tuple[str, str], int]:
        """Hold ports and return all that are held, by component and port name.

        Args:
            wanted: component, port name, number (0 takes a free one), and whether it must be that number.

        Raises:
            MissingError: `port-taken`, naming who has it.
        """
        answer = self.ask("reserve", wanted=[list(one) for one in wanted])
        return {(component, name): number for component, name, number in answer["ports"]}

    def start(self, definition: Definition, environment: Mapping[str, str]) -> tuple[Look, bool]:
        """Start a component; return a look at it, and whether it ran so already.

        Raises:
            ApplyError: `component-unstartable`, `component-running` or `guardian-closing`.
        """
        fields = {name: getattr(definition, name) for name in Definition.__struct_fields__}
        answer = self.ask("start", environment=dict(environment), **fields)
        return Look(**answer["component"]), bool(answer["adopted"])

    def end(
        self,
        components: Sequence[str],
        *,
        forget: bool = False,
        patience: float = PATIENCE,
        within: float | None = None,
    ) -> None:
        """End components, dependents first, and return when they have ended.

        Args:
            components: their names; unknown ones are passed over.
            forget: give up their ports too.
            patience: seconds, more than their graces together.
            within: seconds after which each is killed, whatever its grace.
        """
        self.ask("end", patience, components=list(components), forget=forget, within=within)

    def freeze(self, components: Sequence[str], seconds: float) -> None:
        """Have components stand still and return once they do; they go on by themselves after `seconds`.

        Raises:
            ApplyError: `component-not-running`.
            MissingError: `target-down`.
        """
        self.ask("freeze", components=list(components), seconds=seconds)

    def thaw(self) -> frozenset[str]:
        """Let everything go on; return the components that stood still until now.

        Raises:
            MissingError: `target-down`.
        """
        return frozenset(self.ask("thaw")["thawed"])

    def looks(self) -> Mapping[str, Look]:
        """Return a look at every component the guardian knows."""
        return {raw["name"]: Look(**raw) for raw in self.ask("status")["components"]}

    def changes(self) -> Changes:
        """Return the stream of looks: one at each component now, and one whenever something changes."""
        return Changes(self._connect(), self._gone)

    def shut_down(self, *, remove: bool, patience: float = PATIENCE) -> tuple[str, ...]:
        """End everything, the guardian too, and return the names of the components that ran.

        Args:
            remove: with all belongings of the lease.
            patience: seconds, more than all graces together.
        """
        hello = self.hello()
        if hello is None:
            return ()
        ended = tuple(self.ask("shutdown", patience, remove=remove)["ended"])
        _wait_gone(hello.pid)
        return ended

    def ask(self, do: str, patience: float = PATIENCE, **fields: Any) -> dict[str, Any]:
        """Send one request and return its answer.

        Raises:
            MissingError: `target-down`, no guardian answers; `port-taken`.
            ApplyError: whatever else the guardian refuses, with its code.
        """
        with self._connect() as connection:
            connection.settimeout(patience)
            try:
                connection.sendall(json.dumps({"do": do, **fields}).encode() + b"\n")
                line = _line(connection)
            except TimeoutError as error:
                raise self._failed(f"it did not answer `{do}` within {patience:g} s") from error
            except OSError as error:
                raise self._gone() from error
        if not line:
            raise self._gone()
        message = json.loads(line)
        if "error" in message:
            raise _refused(**message["error"])
        answer: dict[str, Any] = message["ok"]
        return answer

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(os.fspath(self.runtime / wire.SOCKET))
        except OSError as error:
            connection.close()
            raise self._gone() from error
        return connection

    def _launch(self, expires: float, belongings: Sequence[Path]) -> int:
        package = Path(__file__).resolve().parents[3]
        argv = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(package), self._stack, str(self._own)]
        argv += [str(self._folder), str(expires), *map(str, belongings)]
        done = spawn.run(argv, environment={wire.GUARDIAN_MARK: self._stack}, timeout=PATIENCE)
        if done.status not in (0, _HELD):
            raise self._failed(done.stderr.strip() or f"status {done.status}")
        return done.status

    def _failed(self, why: str) -> ApplyError:
        return ApplyError(
            f"the guardian of `{self._stack}` failed: {why}",
            code="guardian-failed",
            details=self._last_words(),
            resolution="`cartridge down` ends what is left of it; then `cartridge up` again",
        )

    def _gone(self) -> MissingError:
        return MissingError(
            f"nothing of `{self._stack}` runs: its guardian does not answer",
            code="target-down",
            details=self._last_words(),
            resolution="`cartridge up` starts it again on the same data",
        )

    def _last_words(self) -> tuple[str, ...]:
        try:
            return tuple((self._folder / wire.CRASH).read_text("utf-8", "replace").splitlines()[-20:])
        except OSError:
            return ()


class Changes:
    """A stream of looks at components; a context manager."""

    def __init__(self, connection: socket.socket, gone: Any) -> None:
        self._connection, self._gone, self._rest = connection, gone, b""
        self._connection.sendall(b'{"do": "subscribe"}\n')

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the stream; a `next` under way in another thread returns nothing."""
        with contextlib.suppress(OSError):  # the guardian closed it first
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def next(self, seconds: float | None) -> tuple[Look, ...]:
        """Wait at most `seconds` (None for as long as it takes) and return what has changed.

        The first message to come describes every component as it is.

        Raises:
            MissingError: `target-down`, the guardian is gone.
        """
        if b"\n" not in self._rest:
            readable, _, _ = select.select([self._connection], [], [], seconds)
            self._rest += self._receive() if readable else b""
        *lines, self._rest = self._rest.split(b"\n")
        return tuple(look for line in lines for look in _looks(json.loads(line)))

    def _receive(self) -> bytes:
        data = self._connection.recv(1 << 16)
        if not data:
            raise self._gone()
        return data


def _looks(message: dict[str, Any]) -> Iterator[Look]:
    raw = [message["changed"]] if "changed" in message else message["ok"]["components"]
    return (Look(**one) for one in raw)


def _line(connection: socket.socket) -> bytes:
    parts = bytearray()
    while data := connection.recv(1 << 16):
        parts += data
        if data.endswith(b"\n"):
            return bytes(parts)
    return b""


def _refused(code: str, brief: str, *, component: str = "", port: str = "", number: int = 0) -> CartridgeError:
    if code == "port-taken":
        from cartridge.targets.process.ports import claim_name
        from cartridge.targets.strangers import taken

        return taken(component, port, number, brief, claim_name(number))
    return ApplyError(brief, code=code, resolution=_RESOLUTIONS.get(code, ""))


def _wait_gone(pid: int) -> None:
    """Return when the process has ended, or after two seconds."""
    try:
        handle = os.pidfd_open(pid)
    except (OSError, AttributeError):
        return
    try:
        select.select([handle], [], [], 2.0)
    finally:
        os.close(handle)
