"""Does bitcoind answer, on regtest, and is it ours? Also the one place that speaks its JSON-RPC.

Ours means: it accepts this stack's own password and keeps its log in this stack's data folder. An older or
foreign listener on the same port fails both, so it is refused, never believed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from cartridge.errors import ApplyError, UnknownVerdictError
from cartridge.probes.wait import Patience, until

if TYPE_CHECKING:
    import urllib3

WARMING_UP = -28
"""bitcoind's error number while it loads."""
_ANSWER_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """User and password of the RPC; the password never appears in a text form of this."""

    user: str
    password: str = field(repr=False)


@dataclass(eq=False)
class RefusedError(ApplyError):
    """bitcoind answered with an error; `number` is its own code (0 where it gave none)."""

    number: int = 0


class BitcoindRpc:
    """JSON-RPC to one bitcoind over pooled connections; safe to share between threads.

    Args:
        host: where it listens.
        port: its RPC port.
        credentials: this stack's own.
    """

    def __init__(self, host: str, port: int, credentials: Credentials) -> None:
        import urllib3

        self.address = f"{host}:{port}"
        self._pool: urllib3.HTTPConnectionPool = urllib3.HTTPConnectionPool(host, port, maxsize=16, retries=False)
        self._headers = urllib3.make_headers(basic_auth=f"{credentials.user}:{credentials.password}")

    def call(self, method: str, *parameters: object, wallet: str = "") -> Any:
        """Return the result of `method`.

        Raises:
            RefusedError: `bitcoind-refused`, it answered with an error.
            ApplyError: `bitcoind-foreign`, it does not accept this stack's password.
            UnknownVerdictError: `bitcoind-unreachable`, no answer.
        """
        path = f"/wallet/{wallet}" if wallet else "/"
        answer = self._post(path, {"jsonrpc": "1.0", "id": 0, "method": method, "params": list(parameters)})
        if answer.status == 401:
            raise self._foreign("does not accept the password of this stack")
        reply = parse(answer.data)
        if reply.failure is not None:
            raise RefusedError(
                f"bitcoind refused `{method}`: {reply.failure}", code="bitcoind-refused", number=reply.number
            )
        return reply.result

    def block_transactions(self, height: int) -> tuple[str, ...]:
        """Return the ids of the transactions of the block at `height`, in their order; raises what `call` raises."""
        return tuple(self.call("getblock", self.call("getblockhash", height), 1)["tx"])

    def identify(self, data_folder: str) -> None:
        """Check that this is regtest and that its log lies under `data_folder` (as bitcoind sees it).

        Raises:
            ApplyError: `bitcoind-foreign`.
        """
        chain = self.call("getblockchaininfo")["chain"]
        if chain != "regtest":
            raise self._foreign(f"is on `{chain}`, not on `regtest`")
        log = str(self.call("getrpcinfo")["logpath"])
        if not log.startswith(f"{data_folder.rstrip('/')}/"):
            raise self._foreign(f"keeps its data elsewhere (`{log}`)")

    def _post(self, path: str, body: dict[str, object]) -> urllib3.BaseHTTPResponse:
        import urllib3

        try:
            return self._pool.request(
                "POST", path, body=json.dumps(body), headers=self._headers, timeout=_ANSWER_WITHIN
            )
        except urllib3.exceptions.HTTPError as error:
            raise UnknownVerdictError(
                f"bitcoind at `{self.address}` does not answer",
                code="bitcoind-unreachable",
                details=(type(error).__name__,),
                resolution="look at `cartridge ps` and `cartridge logs bitcoind`",
            ) from error

    def _foreign(self, what: str) -> ApplyError:
        return ApplyError(
            f"the bitcoind at `{self.address}` {what}",
            code="bitcoind-foreign",
            resolution="another program took the port; run `cartridge up` again",
        )


class Reply(Struct, frozen=True):
    """An answer: its result, or why there is none (`failure`) and the daemon's own number for that."""

    result: Any
    failure: str | None
    number: int


def parse(raw: bytes) -> Reply:
    """Return what an answer of JSON-RPC says, whatever it is."""
    try:
        body = json.loads(raw)
    except ValueError:
        return Reply(None, raw.decode("utf-8", "replace").strip() or "no answer", 0)
    match body:
        case {"error": {"code": int(number), "message": str(message)}}:
            return Reply(None, message, number)
        case {"result": result}:
            return Reply(result, None, 0)
        case _:
            return Reply(None, "an answer that is no JSON-RPC", 0)


def ready(rpc: BitcoindRpc, data_folder: str, patience: Patience) -> None:
    """Return once bitcoind answers and is ours.

    Args:
        rpc: how to reach it.
        data_folder: where it keeps its data, as it sees it.
        patience: how long.

    Raises:
        ApplyError: `bitcoind-foreign`, somebody else answers.
        UnknownVerdictError: `wait-timeout`.
        InterruptError: the patience was cancelled.
    """

    def answers() -> bool:
        try:
            rpc.call("getblockcount")
        except RefusedError as error:
            if error.number == WARMING_UP:
                return False
            raise
        return True

    until(answers, f"bitcoind at `{rpc.address}`", patience, expected=(UnknownVerdictError,))
    rpc.identify(data_folder)
