"""The guardian's clients: a Unix socket, JSON lines, and never a wait for one who does not read.

Knows nothing of what is asked. Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import struct
from collections.abc import Callable, Mapping

from cartridge.targets.process import wire

BACKLOG_LIMIT = 4 << 20
"""Bytes a client may leave unread before it is dropped."""

MOST = 128
"""Connections at once; one more is closed at once."""


class Connection:
    """A client: bytes in until a line is whole, bytes out as fast as it reads."""

    def __init__(self, stream: socket.socket) -> None:
        self.stream, self.incoming, self.outgoing, self.subscribed = stream, bytearray(), bytearray(), False

    def receive(self) -> list[bytes] | None:
        """Return the whole lines that have come, or None when the client is gone."""
        try:
            data = self.stream.recv(1 << 16)
        except BlockingIOError:
            return []
        except OSError:
            return None
        self.incoming += data
        if not data or len(self.incoming) > wire.LONGEST_LINE:
            return None
        if b"\n" not in data:
            return []
        *lines, rest = bytes(self.incoming).split(b"\n")
        self.incoming = bytearray(rest)
        return lines

    def flush(self) -> bool:
        """Send what the client takes now; return whether it is still worth talking to."""
        try:
            while self.outgoing:
                del self.outgoing[: self.stream.send(self.outgoing)]
        except BlockingIOError:
            return len(self.outgoing) <= BACKLOG_LIMIT
        except OSError:
            return False
        return True


Dispatch = Callable[[Connection, bytes], Mapping[str, object] | None]
"""Takes a request's line; returns the answer, or None when it comes later."""


class Clients:
    """Everybody connected to one socket.

    Args:
        selector: what wakes us; callbacks are the keys' data.
        listener: the socket, listening.
        dispatch: answers requests.
    """

    def __init__(self, selector: selectors.BaseSelector, listener: socket.socket, dispatch: Dispatch) -> None:
        self._selector, self._listener, self._dispatch = selector, listener, dispatch
        self._connections: dict[int, Connection] = {}
        listener.settimeout(0)
        selector.register(listener, selectors.EVENT_READ, self._accept)

    def answer(self, connection: Connection, message: Mapping[str, object]) -> None:
        """Send a message as soon as the client reads."""
        connection.outgoing += json.dumps(message).encode() + b"\n"
        self._flush(connection)

    def tell(self, message: Mapping[str, object]) -> None:
        """Send a message to all who subscribed."""
        for connection in [known for known in self._connections.values() if known.subscribed]:
            self.answer(connection, message)

    def close(self) -> None:
        """Listen no more; what is still answered is sent within a second or not at all."""
        self._selector.unregister(self._listener)
        self._listener.close()
        for connection in self._connections.values():
            connection.stream.settimeout(1.0)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            stream, _ = self._listener.accept()
            if _peer(stream) not in (None, os.getuid()) or len(self._connections) >= MOST:
                stream.close()
                return
            stream.settimeout(0)
            connection = Connection(stream)
            self._connections[stream.fileno()] = connection
            self._selector.register(stream, selectors.EVENT_READ, lambda: self._serve(connection))

    def _serve(self, connection: Connection) -> None:
        if connection.outgoing:
            self._flush(connection)
        lines = connection.receive()
        if lines is None:
            self._drop(connection)
            return
        for line in lines:
            answer = self._dispatch(connection, line)
            if answer is not None:
                self.answer(connection, answer)

    def _flush(self, connection: Connection) -> None:
        number = connection.stream.fileno()
        if number < 0:
            return
        if not connection.flush():
            self._drop(connection)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.outgoing else 0)
        if self._selector.get_key(number).events != events:
            self._selector.modify(number, events, lambda: self._serve(connection))

    def _drop(self, connection: Connection) -> None:
        number = connection.stream.fileno()
        if number >= 0:
            del self._connections[number]
            self._selector.unregister(number)
            connection.stream.close()


def _peer(stream: socket.socket) -> int | None:
    """Return the user id of the other end; None where the system does not tell."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    _, uid, _ = struct.unpack("3i", stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return int(uid)
