"""Runs programs inside a container: with bytes in and out, or on this terminal.

Speaks the Engine's hijacked connection itself, because the SDK may lose what a quick program writes together with the
answer's head. The program gets no shell; it is looked up on the image's PATH.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import socket
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from cartridge.clock import Clock
from cartridge.errors import ApplyError, MissingError, UnknownVerdictError
from cartridge.targets.docker import endpoint
from cartridge.targets.docker.client import refused
from cartridge.targets.driver import Ran

if TYPE_CHECKING:
    from docker import APIClient

CHUNK = 65_536
_STDOUT, _STDERR = 1, 2
_HEAD = struct.Struct(">BxxxL")
_NOT_STARTED = re.compile(rb"OCI runtime exec failed|executable file not found|no such file or directory")


class Place(Struct, frozen=True):
    """Where a program runs: the Engine, its socket, the container, and the time."""

    client: APIClient
    socket: Path
    container: str
    clock: Clock


def run(place: Place, argv: Sequence[str], stdin: bytes, timeout: float) -> Ran:
    """Run `argv` to its end and return its status and bytes; 127 where the container has no such program.

    Raises:
        MissingError: `component-not-running`.
        UnknownVerdictError: `program-timeout`; the program goes on in the container.
    """
    identity = _create(place, argv, tty=False, stdin=bool(stdin))
    deadline = place.clock.monotonic() + timeout
    connection, early = _start(place, identity, tty=False)
    with contextlib.closing(connection):
        connection.settimeout(timeout)
        try:
            connection.sendall(stdin)
            connection.shutdown(socket.SHUT_WR)
            outputs = {_STDOUT: bytearray(), _STDERR: bytearray()}
            for stream, chunk in _frames(connection, early, deadline, place.clock):
                outputs.setdefault(stream, bytearray()).extend(chunk)
        except TimeoutError as error:
            raise UnknownVerdictError(
                f"`{argv[0]}` did not end within {timeout:g} s", code="program-timeout"
            ) from error
    status = _status(place, identity)
    if status in {126, 127} and _NOT_STARTED.search(outputs[_STDOUT]):
        return Ran(127, b"", bytes(outputs[_STDOUT]))
    return Ran(status, bytes(outputs[_STDOUT]), bytes(outputs[_STDERR]))


def interactive(place: Place, argv: Sequence[str]) -> int:
    """Run `argv` on this terminal, or on plain pipes where there is none, and return its exit status.

    Raises:
        MissingError: `component-not-running`.
    """
    tty = sys.stdin.isatty() and sys.stdout.isatty()
    identity = _create(place, argv, tty=tty, stdin=True)
    connection, early = _start(place, identity, tty=tty)
    with contextlib.closing(connection), _terminal(place, identity, tty=tty):
        _relay(connection, early, tty=tty)
    return _status(place, identity)


def _create(place: Place, argv: Sequence[str], *, tty: bool, stdin: bool) -> str:
    try:
        with refused(f"run `{argv[0]}` in `{place.container}`"):
            return str(place.client.exec_create(place.container, list(argv), stdin=stdin or tty, tty=tty)["Id"])
    except ApplyError as error:
        raise MissingError(
            f"`{place.container}` does not run, so nothing can be run in it",
            code="component-not-running",
            details=error.details,
            resolution="start it first: `cartridge up`",
        ) from error


def _start(place: Place, identity: str, *, tty: bool) -> tuple[socket.socket, bytes]:
    """Start the program; return the connection to it and what it has sent already."""
    body = json.dumps({"Detach": False, "Tty": tty}).encode()
    connection = endpoint.dial(place.socket, 60.0)
    connection.sendall(
        b"POST /exec/%s/start HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n%s" % (identity.encode(), len(body), body)
    )
    head = b""
    while b"\r\n\r\n" not in head:
        chunk = connection.recv(CHUNK)
        if not chunk:
            break
        head += chunk
    head, _, early = head.partition(b"\r\n\r\n")
    if b" 101 " not in head.split(b"\r\n", 1)[0] and b" 200 " not in head.split(b"\r\n", 1)[0]:
        connection.close()
        raise MissingError(
            f"`{place.container}` does not run, so nothing can be run in it",
            code="component-not-running",
            details=(early.decode("utf-8", "replace").strip(),),
        )
    return connection, early


def _frames(connection: socket.socket, early: bytes, deadline: float, clock: Clock) -> Iterator[tuple[int, bytes]]:
    """Yield (stream, bytes) until the program has closed its output.

    Raises:
        TimeoutError: the deadline has passed.
    """
    buffer = bytearray(early)
    while True:
        while len(buffer) >= _HEAD.size:
            stream, size = _HEAD.unpack_from(buffer)
            if len(buffer) < _HEAD.size + size:
                break
            yield stream, bytes(buffer[_HEAD.size : _HEAD.size + size])
            del buffer[: _HEAD.size + size]
        left = deadline - clock.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        chunk = connection.recv(CHUNK)
        if not chunk:
            return
        buffer += chunk


def _status(place: Place, identity: str) -> int:
    with refused("ask how a program ended"):
        return int(place.client.exec_inspect(identity)["ExitCode"] or 0)


@contextlib.contextmanager
def _terminal(place: Place, identity: str, *, tty: bool) -> Iterator[None]:
    """Hand every key to the program and tell it the window's size, until the body ends."""
    if not tty:
        yield
        return
    import termios
    import tty as terminal

    def resize(*_: object) -> None:
        columns, rows = os.get_terminal_size()
        # the program may have ended just now
        with contextlib.suppress(ApplyError, MissingError), refused("resize a terminal"):
            place.client.exec_resize(identity, height=rows, width=columns)

    before, handler = termios.tcgetattr(sys.stdin), signal.signal(signal.SIGWINCH, resize)
    try:
        terminal.setraw(sys.stdin)
        resize()
        yield
    finally:
        signal.signal(signal.SIGWINCH, handler)
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _relay(connection: socket.socket, early: bytes, *, tty: bool) -> None:
    """Copy both ways until the program closes its output."""
    connection.settimeout(None)
    keys, decoder = [sys.stdin.fileno()], _Decoder(tty=tty)
    decoder.feed(early)
    while True:
        ready, _, _ = select.select([connection, *keys], [], [])
        if connection in ready:
            chunk = connection.recv(CHUNK)
            if not chunk:
                return
            decoder.feed(chunk)
        if keys and keys[0] in ready:
            typed = os.read(keys[0], CHUNK)
            if typed:
                connection.sendall(typed)
            else:
                connection.shutdown(socket.SHUT_WR)
                keys = []


class _Decoder:
    """Writes what arrives to our own stdout and stderr: as it is on a terminal, else by its frames."""

    def __init__(self, *, tty: bool) -> None:
        self._tty, self._buffer = tty, bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if self._tty:
            self._write(_STDOUT, chunk)
            return
        self._buffer += chunk
        while len(self._buffer) >= _HEAD.size:
            stream, size = _HEAD.unpack_from(self._buffer)
            if len(self._buffer) < _HEAD.size + size:
                return
            self._write(stream, bytes(self._buffer[_HEAD.size : _HEAD.size + size]))
            del self._buffer[: _HEAD.size + size]

    def _write(self, stream: int, chunk: bytes) -> None:
        sink = sys.stderr.buffer if stream == _STDERR else sys.stdout.buffer
        sink.write(chunk)
        sink.flush()
