"""One conversation over a WebSocket (RFC 6455): text out and in, from two threads at most. Knows nobody's messages.

Only what a client needs to whom whole messages are sent: no extensions, no fragments, no compression. It is lnd's way
for streams that go both ways, which plain HTTP/1.1 has not.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_LAST, _MASKED = 0x80, 0x80
_SHORT, _TWO_BYTES, _EIGHT_BYTES = 125, 126, 127
"""The length of a frame's content, or the sign of how many bytes hold it."""
_SWITCHED = b" 101 "
"""In the status line of a server that agrees."""


class WebSocket:
    """A conversation that is open until it is left; a context manager.

    Args:
        address: host and port.
        path: with its query.
        headers: beside those of the protocol.
        trust: whom to believe, and for what.
        within: seconds the beginning may take.

    Raises:
        OSError: nobody answers, or not in this protocol.
    """

    def __init__(
        self,
        address: tuple[str, int],
        path: str,
        *,
        headers: Mapping[str, str],
        trust: ssl.SSLContext,
        within: float,
    ) -> None:
        plain = socket.create_connection(address, within)
        self._socket = trust.wrap_socket(plain, server_hostname=address[0])
        self._stream = self._socket.makefile("rb")
        self._sending = threading.Lock()
        try:
            self._begin(f"{address[0]}:{address[1]}", path, headers)
        except OSError:
            self._close()
            raise
        self._socket.settimeout(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # it has ended already
            self._socket.shutdown(socket.SHUT_RDWR)  # whoever waits for a message hears that there is none

    def send(self, text: str) -> None:
        """Send a message; OSError where nobody listens any more."""
        self._send(_TEXT, text.encode())

    def messages(self) -> Iterator[str]:
        """Yield each message as it comes, until the conversation ends; the last one to use this closes it."""
        try:
            while (frame := self._frame()) is not None:
                code, content = frame
                if code == _PING:
                    self._send(_PONG, content)
                elif code == _CLOSE:
                    return
                elif code == _TEXT:
                    yield content.decode()
        except OSError:
            return
        finally:
            self._close()

    def _begin(self, host: str, path: str, headers: Mapping[str, str]) -> None:
        lines = {
            "Host": host,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode(),
            **headers,
        }
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._socket.sendall(f"GET {path} HTTP/1.1\r\n{text}\r\n".encode())
        if _SWITCHED not in self._stream.readline():
            raise OSError("it does not speak WebSocket there")
        while self._stream.readline().strip():
            pass

    def _frame(self) -> tuple[int, bytes] | None:
        head = self._stream.read(2)
        if len(head) < 2:
            return None
        length = head[1]
        if length in (_TWO_BYTES, _EIGHT_BYTES):
            length = int.from_bytes(self._stream.read(2 if length == _TWO_BYTES else 8), "big")
        return head[0] & 0x0F, self._stream.read(length)

    def _send(self, code: int, content: bytes) -> None:
        length, size = len(content), b""
        if length > _SHORT:
            size = length.to_bytes(2 if length < 1 << 16 else 8, "big")
            length = _TWO_BYTES if length < 1 << 16 else _EIGHT_BYTES
        mask = secrets.token_bytes(4)
        masked = bytes(one ^ mask[place % 4] for place, one in enumerate(content))
        with self._sending:
            self._socket.sendall(bytes((_LAST | code, _MASKED | length)) + size + mask + masked)

    def _close(self) -> None:
        self._stream.close()
        self._socket.close()
