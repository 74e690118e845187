"""What is made of each kind of answer of an LDK daemon, and of none."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cartridge.errors import ApplyError, CartridgeError, UnknownVerdictError
from cartridge.probes.ldk import Identity, LdkHttp, RefusedError

PUBKEY = "02" + 32 * "ab"
REFUSAL = {"error": {"code": "payment", "message": "no way there", "reason": "route"}}


@contextmanager
def answering(status: int, body: str) -> Iterator[LdkHttp]:
    """Give a node in whose place somebody answers every command alike."""

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield LdkHttp("carol", "127.0.0.1", server.server_port, Identity(PUBKEY, "a-token"))
        finally:
            server.shutdown()
            thread.join()


def test_an_answer_is_what_the_daemon_says() -> None:
    """Of any shape."""
    with answering(200, '{"height": 7}') as node:
        assert node.ask("info") == {"height": 7}


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "brief"),
    [
        (401, json.dumps(REFUSAL), ApplyError, "ldk-foreign", "does not take its token, so it is not `carol`"),
        (200, "<html>", ApplyError, "ldk-foreign", "does not speak as it would, so it is not `carol`"),
        (400, "{}", ApplyError, "ldk-foreign", "does not speak as it would, so it is not `carol`"),
        (400, json.dumps(REFUSAL), RefusedError, "ldk-refused", "`carol` refused: no way there"),
        (500, "", UnknownVerdictError, "ldk-unreachable", "does not answer"),
        (503, "busy", UnknownVerdictError, "ldk-unreachable", "does not answer"),
    ],
)
def test_another_answer_is_an_error_that_says_what_came(
    status: int, body: str, kind: type[CartridgeError], code: str, brief: str
) -> None:
    """A daemon that stops drops its questions: that is no answer, and no stranger."""
    with answering(status, body) as node, pytest.raises(kind) as raised:
        node.ask("pay")

    assert raised.value.code == code
    assert raised.value.brief.endswith(brief)


def test_nobody_there_is_no_answer() -> None:
    """As long as nobody listens."""
    with answering(200, "{}") as node:
        pass

    with pytest.raises(UnknownVerdictError) as raised:
        node.ask("info")

    assert raised.value.code == "ldk-unreachable"


def test_another_identity_is_somebody_else() -> None:
    """The key it says is not the expected one."""
    with answering(200, json.dumps({"pubkey": "03ff"})) as node, pytest.raises(ApplyError) as raised:
        node.identify()

    assert (raised.value.code, raised.value.brief.partition(" has ")[2]) == (
        "ldk-foreign",
        "the identity `03ff`, so it is not `carol`",
    )
