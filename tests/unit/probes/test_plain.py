"""The probes of things that are no Lightning: a port, an HTTP answer, a log, an end."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cartridge.clock import SystemClock
from cartridge.errors import ApplyError, UnknownVerdictError
from cartridge.probes import exit, http, log, tcp  # noqa: A004
from cartridge.probes.wait import Patience
from tests.doubles.clock import FakeClock


def soon() -> Patience:
    return Patience.of(FakeClock(), 1)


def test_a_port_is_ready_when_somebody_listens():
    """And not before."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        tcp.ready("127.0.0.1", port, soon())

    with pytest.raises(UnknownVerdictError) as gave_up:
        tcp.ready("127.0.0.1", port, soon())
    assert gave_up.value.brief == f"gave up waiting for `127.0.0.1:{port}` to accept connections"


class Teapot(BaseHTTPRequestHandler):
    """Says 418 to everything."""

    def do_GET(self) -> None:
        self.send_response(418)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_an_http_answer_must_have_the_wanted_status():
    """The other one is told in the error."""
    with HTTPServer(("127.0.0.1", 0), Teapot) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"

        http.ready(url, Patience.of(SystemClock(), 5), status=418)
        with pytest.raises(UnknownVerdictError) as gave_up:
            http.ready(url, Patience.of(SystemClock(), 0.1), status=200)
        server.shutdown()

    assert gave_up.value.details == ("it answers with status 418",)


def test_a_line_of_the_log_is_found_wherever_it_stands():
    """The log grows while it is looked at; bytes that are no text do not matter."""
    lines = [b"\xff begun"]

    def read() -> list[bytes]:
        lines.append(f"height {len(lines)}".encode())
        return lines

    assert log.ready(read, r"height [45]", soon()) == "height 4"


def test_a_one_shot_is_ready_when_it_has_ended_well():
    """None means that it runs still."""
    statuses = iter([None, None, 0])

    exit.ready(lambda: next(statuses), "migrate", soon())


def test_a_one_shot_that_failed_is_an_error_at_once():
    """Waiting longer would not help."""
    with pytest.raises(ApplyError) as failed:
        exit.ready(lambda: 3, "migrate", soon())

    assert (failed.value.code, failed.value.brief) == ("component-ended", "`migrate` ended with status 3")
