"""Is lnd's server active, and is it ours? Also the one place that speaks its REST protocol.

Ours means: it holds the private key of this node's own TLS certificate (the only one trusted here), accepts the
node's own macaroon, and its identity is the expected public key. Events first: lnd's own stream of states is read,
and asked for anew every 10 to 50 ms only while there is no listener.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cartridge.errors import ApplyError, InterruptError, UnknownVerdictError
from cartridge.probes.wait import Patience, until

if TYPE_CHECKING:
    import urllib3

    from cartridge.probes.websocket import WebSocket

ACTIVE = "SERVER_ACTIVE"
BAD_REQUEST = 400
"""HTTP statuses from here on are refusals."""
_ANSWER_WITHIN = 60.0
_LISTEN_FOR = 0.2
"""Seconds of quiet after which the stream of states is asked for anew. lnd loses a change that comes between its first
answer and its taking note of who listens; and its own pause of a second must not fall together with ours."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What proves that an lnd is the one we mean, and what it wants to see of us.

    Attributes:
        pubkey: its node key, compressed, in hex.
        certificate: its TLS certificate, PEM.
        macaroon: the right to command it; never appears in a text form of this.
    """

    pubkey: str
    certificate: str
    macaroon: bytes = field(repr=False)


@dataclass(eq=False)
class RefusedError(ApplyError):
    """lnd answered with an error; `status` is the HTTP status, `number` its gRPC code."""

    status: int = 0
    number: int = 0


class LndRest:
    """REST to one lnd over pooled TLS connections; safe to share between threads.

    Args:
        name: the node, for errors.
        host: where it listens; its certificate must name it.
        port: its REST port.
        identity: who it must be.
    """

    def __init__(self, name: str, host: str, port: int, identity: Identity) -> None:
        import ssl

        import urllib3

        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.load_verify_locations(cadata=identity.certificate)
        self.name, self.address, self.identity = name, f"{host}:{port}", identity
        self._headers = {"Grpc-Metadata-macaroon": identity.macaroon.hex()}
        self._trust, self._place = trust, (host, port)
        self._pool = urllib3.HTTPSConnectionPool(host, port, maxsize=16, retries=False, ssl_context=trust)

    def get(self, path: str) -> Any:
        """Return the answer to a question; raises what `post` raises."""
        return self._answer("GET", path, None)

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        """Return the answer to a command.

        Raises:
            RefusedError: `lnd-refused`, it answered with an error.
            ApplyError: `lnd-foreign`, its certificate is not the node's own.
            UnknownVerdictError: `lnd-unreachable`, no answer.
        """
        return self._answer("POST", path, body)

    def last(self, path: str, body: Mapping[str, object]) -> Any:
        """Return the last message of a streamed answer; raises what `post` raises."""
        raw = self._send("POST", path, body).data.strip()
        return self._result(raw.rsplit(b"\n", 1)[-1], 200)

    def delete(self, path: str) -> Any:
        """Return the answer to a deletion; raises what `post` raises."""
        return self._answer("DELETE", path, None)

    def deleting(self, path: str, word: str) -> Any:
        """Return the first message with this key of the streamed answer to a deletion; raises what `post` raises."""
        import urllib3

        answer = self._send("DELETE", path, None, quiet=_ANSWER_WITHIN)
        try:
            for line in _lines(answer):
                if word in (message := self._result(line, answer.status)):
                    return message
            return self._result(b"", answer.status)
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error
        finally:
            answer.close()

    def states(self) -> Iterator[str]:
        """Yield lnd's state now and each time it changes, until the stream is quiet for a while."""
        import urllib3

        answer = self._send("GET", "/v1/state/subscribe", None, quiet=_LISTEN_FOR)
        try:
            for line in _lines(answer):
                yield str(self._result(line, answer.status)["state"])
        except urllib3.exceptions.HTTPError:
            return  # quiet, or it went away: the caller asks again
        finally:
            answer.close()

    def converse(self, path: str) -> WebSocket:
        """Return a stream that goes both ways, which is open until it is left.

        Raises:
            UnknownVerdictError: `lnd-unreachable`, no answer.
        """
        from cartridge.probes.websocket import WebSocket

        try:
            return WebSocket(self._place, path, headers=self._headers, trust=self._trust, within=_ANSWER_WITHIN)
        except OSError as error:
            raise self._unreachable(error) from error

    def _answer(self, method: str, path: str, body: Mapping[str, object] | None) -> Any:
        answer = self._send(method, path, body)
        return self._result(answer.data, answer.status)

    def _result(self, raw: bytes, status: int) -> Any:
        reply = _parse(raw)
        match reply:
            case {"error": {"message": str(message), "code": int(number)}}:
                raise self._refused(message, status, number)
            case {"message": str(message), "code": int(number)} if status >= BAD_REQUEST:
                raise self._refused(message, status, number)
            case {"result": result}:
                return result
            case _ if status >= BAD_REQUEST:
                raise self._refused(f"status {status}", status, 0)
            case _:
                return reply

    def _refused(self, message: str, status: int, number: int) -> RefusedError:
        return RefusedError(f"`{self.name}` refused: {message}", code="lnd-refused", status=status, number=number)

    def _send(
        self, method: str, path: str, body: Mapping[str, object] | None, *, quiet: float | None = None
    ) -> urllib3.BaseHTTPResponse:
        """Ask; where `quiet` is given, for a stream that may be silent so many seconds."""
        import urllib3

        try:
            return self._pool.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers=self._headers,
                timeout=_ANSWER_WITHIN if quiet is None else quiet,
                preload_content=quiet is None,
            )
        except urllib3.exceptions.SSLError as error:
            if "certificate verify failed" not in str(error):
                raise self._unreachable(error) from error
            raise self._foreign("does not hold this node's TLS key") from error
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> UnknownVerdictError:
        return UnknownVerdictError(
            f"`{self.name}` at `{self.address}` does not answer",
            code="lnd-unreachable",
            details=(type(error).__name__,),
            resolution=f"look at `cartridge ps` and `cartridge logs {self.name}`",
        )

    def _foreign(self, what: str) -> ApplyError:
        return ApplyError(
            f"the lnd at `{self.address}` {what}, so it is not `{self.name}`",
            code="lnd-foreign",
            resolution="another program took the port; run `cartridge up` again",
        )

    def identify(self) -> None:
        """Check that the node's key is the expected one.

        Raises:
            ApplyError: `lnd-foreign`.
        """
        pubkey = self.get("/v1/getinfo")["identity_pubkey"]
        if pubkey != self.identity.pubkey:
            raise self._foreign(f"has the identity `{pubkey}`")


def _lines(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    rest = b""
    for piece in answer.stream(1024):
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    if rest:
        yield rest


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return {"error": {"message": raw.decode("utf-8", "replace").strip() or "an empty answer", "code": 0}}


def ready(rest: LndRest, patience: Patience) -> None:
    """Return once lnd's server is active and it is the expected node.

    Raises:
        ApplyError: `lnd-foreign`, somebody else answers.
        UnknownVerdictError: `wait-timeout`.
        InterruptError: the patience was cancelled.
    """

    def active() -> bool:
        for state in rest.states():
            if state == ACTIVE:
                return True
            if patience.cancelled.is_set():
                raise InterruptError
        return False

    until(active, f"`{rest.name}` to be active", patience, expected=(UnknownVerdictError, RefusedError))
    rest.identify()
