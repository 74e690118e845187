"""Does eclair answer, on regtest, and is it ours? Also the one place that speaks its HTTP.

Ours means: it takes this stack's password and announces the address of this node. Every command is one POST of a form,
answered in JSON; a node is asked anew every 10 to 50 ms only while there is no listener.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cartridge.errors import ApplyError, UnknownVerdictError
from cartridge.probes.wait import Patience, until

if TYPE_CHECKING:
    import urllib3

NETWORK = "regtest"
OK, UNAUTHORIZED, NOT_FOUND = 200, 401, 404
_ANSWER_WITHIN = 60.0


@dataclass(eq=False)
class RefusedError(ApplyError):
    """eclair answered with an error; `status` is that of its answer."""

    status: int = 0


class EclairHttp:
    """HTTP to one eclair over pooled connections; safe to share between threads.

    Args:
        name: the node, for errors.
        host: where it listens.
        port: its API port.
        password: of its commands; never appears in an error.
    """

    def __init__(self, name: str, host: str, port: int, password: str) -> None:
        import urllib3

        self.name, self.address = name, f"{host}:{port}"
        self._headers = urllib3.make_headers(basic_auth=f":{password}")
        self._pool = urllib3.HTTPConnectionPool(host, port, maxsize=16, retries=False)

    def ask(self, command: str, within: float = _ANSWER_WITHIN, /, **fields: object) -> Any:
        """Return the answer to a command.

        Args:
            command: such as `getinfo`.
            within: seconds the answer may take.
            fields: of the form, by the names eclair gives them; those that are None are left out.

        Raises:
            RefusedError: `eclair-refused`, it answered with an error.
            ApplyError: `eclair-foreign`, it does not take the stack's password.
            UnknownVerdictError: `eclair-unreachable`, no answer.
        """
        answer = self._send(command, within, form(fields))
        if answer.status == UNAUTHORIZED:
            raise self._foreign("does not take the password of this stack")
        try:
            reply = json.loads(answer.data)
        except ValueError as error:
            if answer.status != OK:
                raise self._refused(command, f"status {answer.status}", answer.status) from error
            raise self._foreign("does not speak as it would") from error
        if answer.status == OK:
            return reply
        match reply:
            case {"error": str(message)} | str(message):
                raise self._refused(command, message, answer.status)
            case _:
                raise self._refused(command, f"status {answer.status}", answer.status)

    def identify(self, announced: str) -> str:
        """Check that it is on regtest and is the node that announces this address; return its public key.

        Raises:
            ApplyError: `eclair-foreign`.
        """
        info = self.ask("getinfo")
        addresses = info["publicAddresses"]
        if info["network"] != NETWORK or announced not in addresses:
            raise self._foreign(f"is on `{info['network']}` and announces {addresses or 'nothing'}")
        return str(info["nodeId"])

    def _send(self, command: str, within: float, fields: dict[str, str]) -> urllib3.BaseHTTPResponse:
        import urllib3

        try:
            return self._pool.request(
                "POST", f"/{command}", fields=fields, encode_multipart=False, headers=self._headers, timeout=within
            )
        except urllib3.exceptions.HTTPError as error:
            raise UnknownVerdictError(
                f"`{self.name}` at `{self.address}` does not answer",
                code="eclair-unreachable",
                details=(type(error).__name__,),
                resolution=f"look at `cartridge ps` and `cartridge logs {self.name}`",
            ) from error

    def _refused(self, command: str, message: str, status: int) -> RefusedError:
        brief = f"`{self.name}` refused `{command}`: {message}"
        return RefusedError(
            brief, code="eclair-refused", status=status, resolution=f"look at `cartridge logs {self.name}`"
        )

    def _foreign(self, what: str) -> ApplyError:
        return ApplyError(
            f"the eclair at `{self.address}` {what}, so it is not `{self.name}`",
            code="eclair-foreign",
            resolution="another program took the port; run `cartridge up` again",
        )


def form(fields: dict[str, object]) -> dict[str, str]:
    """Return the fields of a form as eclair reads them: lists with commas, truth in lower case, None left out."""
    return {name: _text(value) for name, value in fields.items() if value is not None}


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return ",".join(map(str, value))
        case _:
            return str(value)


def ready(http: EclairHttp, announced: str, patience: Patience) -> str:
    """Return its public key once eclair answers and is the node that announces this address (host:port).

    It opens its API when it has found its bitcoind and follows it.

    Raises:
        ApplyError: `eclair-foreign`, somebody else answers.
        UnknownVerdictError: `wait-timeout`.
        InterruptError: the patience was cancelled.
    """

    def answers() -> bool:
        return bool(http.ask("getinfo")["blockHeight"])

    until(answers, f"`{http.name}` to answer", patience, expected=(UnknownVerdictError, RefusedError))
    return http.identify(announced)
