"""Does an LDK node answer, and is it ours? Also the one place that speaks the HTTP of our daemon `ldk-regtest`.

Ours means: it takes this node's own token and its identity is the expected public key. Its whole interface is one
POST with a JSON object a command; a node is asked anew every 10 to 50 ms only while there is no listener.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cartridge.errors import ApplyError, UnknownVerdictError
from cartridge.probes.wait import Patience, until

if TYPE_CHECKING:
    import urllib3

TOKEN = "token"  # noqa: S105 the file's name
"""Where the daemon finds the word that its commands must carry, relative to its data folder."""
OK, UNAUTHORIZED, INTERNAL_ERROR = 200, 401, 500
_ANSWER_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Identity:
    """What proves that a node is the one we mean, and what it wants to hear of us.

    Attributes:
        pubkey: its node key, compressed, in hex.
        token: the right to command it; never appears in a text form of this.
    """

    pubkey: str
    token: str = field(repr=False)


@dataclass(eq=False)
class RefusedError(ApplyError):
    """The daemon answered with an error; `word` is its code for it, `reason` why a payment failed."""

    word: str = ""
    reason: str = ""


class LdkHttp:
    """HTTP to one LDK node over pooled connections; safe to share between threads.

    Args:
        name: the node, for errors.
        host: where it listens.
        port: its API port.
        identity: who it must be.
    """

    def __init__(self, name: str, host: str, port: int, identity: Identity) -> None:
        self.name, self.address, self.identity = name, f"{host}:{port}", identity
        self._headers = {"Authorization": f"Bearer {identity.token}"}
        self._place = host, port
        self.start_over()

    def start_over(self) -> None:
        """Open new connections from now on: the daemon has started again, and knows nothing of the ones it had.

        Nobody else may be asking meanwhile.
        """
        import urllib3

        host, port = self._place
        self._pool = urllib3.HTTPConnectionPool(host, port, maxsize=16, retries=False, timeout=_ANSWER_WITHIN)

    def ask(self, command: str, within: float = _ANSWER_WITHIN, /, **order: object) -> Any:
        """Return the answer to a command.

        Args:
            command: such as `info`.
            within: seconds the answer may take.
            order: what it is told.

        Raises:
            RefusedError: `ldk-refused`, it answered with an error.
            ApplyError: `ldk-foreign`, it does not take the node's token.
            UnknownVerdictError: `ldk-unreachable`, no answer; with a status of 500 or more it dropped the question, as
                it does where it stops meanwhile.
        """
        answer = self._send(command, within, order)
        if answer.status == UNAUTHORIZED:
            raise self._foreign("does not take its token")
        if answer.status >= INTERNAL_ERROR:
            raise self._silent(f"status {answer.status}")
        try:
            reply = json.loads(answer.data)
        except ValueError as error:
            raise self._foreign("does not speak as it would") from error
        if answer.status == OK:
            return reply
        match reply:
            case {"error": {"code": str(word), "message": str(message), "reason": str(reason)}}:
                raise RefusedError(f"`{self.name}` refused: {message}", code="ldk-refused", word=word, reason=reason)
            case _:
                raise self._foreign("does not speak as it would")

    def identify(self) -> None:
        """Check that the node's key is the expected one.

        Raises:
            ApplyError: `ldk-foreign`.
        """
        pubkey = self.ask("info")["pubkey"]
        if pubkey != self.identity.pubkey:
            raise self._foreign(f"has the identity `{pubkey}`")

    def _send(self, command: str, within: float, order: dict[str, object]) -> urllib3.BaseHTTPResponse:
        import urllib3

        try:
            return self._pool.request(
                "POST", f"/v1/{command}", body=json.dumps(order), headers=self._headers, timeout=within
            )
        except urllib3.exceptions.HTTPError as error:
            raise self._silent(type(error).__name__) from error

    def _silent(self, why: str) -> UnknownVerdictError:
        return UnknownVerdictError(
            f"`{self.name}` at `{self.address}` does not answer",
            code="ldk-unreachable",
            details=(why,),
            resolution=f"look at `cartridge ps` and `cartridge logs {self.name}`",
        )

    def _foreign(self, what: str) -> ApplyError:
        return ApplyError(
            f"the node at `{self.address}` {what}, so it is not `{self.name}`",
            code="ldk-foreign",
            resolution="another program took the port; run `cartridge up` again",
        )


def ready(http: LdkHttp, patience: Patience) -> None:
    """Return once the node follows the chain and is the expected one.

    Raises:
        ApplyError: `ldk-foreign`, somebody else answers.
        UnknownVerdictError: `wait-timeout`.
        InterruptError: the patience was cancelled.
    """

    def following() -> bool:
        return bool(http.ask("info")["synced"])

    until(following, f"`{http.name}` to be ready", patience, expected=(UnknownVerdictError, RefusedError))
    http.identify()
