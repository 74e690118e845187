"""A real HTTP server on loopback with the faults of real ones: cut connections, silence, wrong bytes, errors.

`with FileServer({"/a.tar.gz": b"…"}) as server:` then fetch `server.url + "/a.tar.gz"`. It answers Range requests.
Set `faults[path]` to what shall go wrong; `server.requests` lists (path, Range header) of what was asked, and
`server.hanging` is set once somebody is kept waiting.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import unquote


@dataclass(slots=True)
class Fault:
    """What goes wrong with one path.

    Attributes:
        cut_after: bytes of the body after which the connection is closed.
        times: how often; 0 is always.
        status: answered instead of the file.
        hangs: nothing more is sent after `cut_after` bytes until the server is closed.
        ignores_range: the whole file is sent whatever was asked for.
    """

    cut_after: int | None = None
    times: int = 0
    status: int | None = None
    hangs: bool = False
    ignores_range: bool = False
    seen: int = 0

    def is_due(self) -> bool:
        """Count one request and return whether it goes wrong."""
        self.seen += 1
        return self.times == 0 or self.seen <= self.times


class FileServer:
    """Serves bytes by path on a free loopback port until the `with` block ends."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files, self.faults = dict(files), dict[str, Fault]()
        self.requests: list[tuple[str, str]] = []
        self.released, self.hanging = threading.Event(), threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FileServer:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: FileServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that go away are part of the play."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        owner, path = self.server.owner, unquote(self.path)
        asked = self.headers.get("Range", "")
        owner.requests.append((path, asked))
        fault = owner.faults.get(path, Fault())
        is_due = path in owner.faults and fault.is_due()
        content = owner.files.get(path)
        status = fault.status if is_due and fault.status else (200 if content is not None else 404)
        if status != 200 or content is None:
            self._answer(status, b"no")
            return
        start = 0 if not asked or (is_due and fault.ignores_range) else int(asked.removeprefix("bytes=").rstrip("-"))
        if start >= len(content) > 0 and start:
            self._answer(416, b"")
            return
        self._send(content, start, fault if is_due else Fault())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send(self, content: bytes, start: int, fault: Fault) -> None:
        body = content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if fault.cut_after is None:
            self.wfile.write(body)
            return
        self.wfile.write(body[: fault.cut_after])
        self.wfile.flush()
        if fault.hangs:
            self.server.owner.hanging.set()
            self.server.owner.released.wait(30)
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Say nothing on stderr; `requests` has it."""
