"""A faucet over HTTP: coins for whoever holds the token, on loopback alone.

POST / with a bearer token and `{"address": "bcrt1…" | "node": "alice", "amount": "100_000 sat"}`. Every request is
bounded; every refusal is JSON with a code. A request with an `Origin`, or for another host, is refused: no web page may
use it. The token is compared in constant time and is in no answer, log or error. What pays is the caller's.
"""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
from msgspec import Struct

from cartridge.errors import CartridgeError, InputError, MissingError
from cartridge.model.units import format_amount, parse_amount

LARGEST = 4_096
"""Bytes of a request's body."""
_SLOW = 10.0
"""Seconds a client may be silent."""


class _Request(Struct, frozen=True, forbid_unknown_fields=True):
    amount: str
    address: str = ""
    node: str = ""


class Given(Struct, frozen=True):
    """What a request was given: to whom, millisatoshis, the transaction, and the height it is confirmed at."""

    to: str
    amount: int
    txid: str
    height: int


@dataclass(frozen=True, slots=True)
class Terms:
    """Who gets what: the token, the most a request may ask for (millisatoshis), and what pays an amount to somebody.

    `give` is called for one request at a time; what it raises is told to the client.
    """

    token: str = field(repr=False)
    most: int
    give: Callable[[str, int], Given]


@dataclass(eq=False)
class _Refusal(Exception):  # noqa: N818 - an answer, not an error of ours
    status: HTTPStatus
    code: str
    brief: str


class Faucet:
    """A faucet that serves from now on until it is closed.

    Args:
        port: on loopback; 0 takes a free one.
        terms: who gets what.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, port: int, terms: Terms) -> None:
        turn = threading.Lock()

        class Handler(_Handler):
            def serve(self) -> Given:
                return _serve(self, terms, turn)

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, name="faucet", daemon=True).start()

    def close(self) -> None:
        """End it; a request that is under way is not waited for."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    timeout = _SLOW
    server_version, sys_version = "cartridge", ""

    def serve(self) -> Given:
        """Return what the request is given."""
        raise NotImplementedError

    def do_POST(self) -> None:
        """Answer a request."""
        try:
            given = self.serve()
        except _Refusal as refusal:
            self._answer(refusal.status, {"error": {"code": refusal.code, "brief": refusal.brief}})
        except CartridgeError as error:
            wrong = isinstance(error, InputError | MissingError)
            status = HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.BAD_GATEWAY
            told = {"code": error.code, "brief": error.brief, "resolution": error.resolution}
            self._answer(status, {"error": told})
        else:
            body = {"to": given.to, "amount": given.amount, "txid": given.txid, "height": given.height}
            self._answer(HTTPStatus.OK, body)

    def _answer(self, status: HTTPStatus, body: object) -> None:
        raw = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing: what is given is in the journal."""


def _serve(request: BaseHTTPRequestHandler, terms: Terms, turn: threading.Lock) -> Given:
    host = (request.headers.get("Host") or "").rpartition(":")[0]
    if host not in {"127.0.0.1", "localhost"} or request.headers.get("Origin"):
        raise _Refusal(HTTPStatus.FORBIDDEN, "faucet-foreign", "only programs on this machine may ask")
    kind, _, token = (request.headers.get("Authorization") or "").partition(" ")
    if kind.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), terms.token.encode()):
        raise _Refusal(HTTPStatus.UNAUTHORIZED, "faucet-token", "the request holds no bearer token, or another one")
    to, amount = _wanted(request)
    if amount > terms.most:
        brief = f"{format_amount(amount)} is more than the {format_amount(terms.most)} a request may ask for"
        raise _Refusal(HTTPStatus.BAD_REQUEST, "faucet-most", brief)
    with turn:
        return terms.give(to, amount)


def _wanted(request: BaseHTTPRequestHandler) -> tuple[str, int]:
    """Return who is to get how many millisatoshis."""
    length = request.headers.get("Content-Length") or ""
    if not length.isdecimal() or int(length) > LARGEST:
        raise _Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "faucet-request", f"a request has 1 to {LARGEST} bytes")
    try:
        wanted = msgspec.json.decode(request.rfile.read(int(length)), type=_Request)
        amount = parse_amount(wanted.amount)
    except msgspec.DecodeError as error:
        brief = 'a request is {"node": NAME, "amount": AMOUNT} or {"address": ADDRESS, "amount": AMOUNT}'
        raise _Refusal(HTTPStatus.BAD_REQUEST, "faucet-request", brief) from error
    except ValueError as error:
        raise _Refusal(HTTPStatus.BAD_REQUEST, "amount-wrong", str(error)) from error
    if bool(wanted.address) == bool(wanted.node):
        raise _Refusal(HTTPStatus.BAD_REQUEST, "faucet-request", "a request names a `node` or an `address`, not both")
    return wanted.address or wanted.node, amount
