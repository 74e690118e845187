"""Does btcd answer, on regtest, and is it ours? Also the one place that speaks its JSON-RPC, which is always TLS.

Ours means: it holds the private key of the certificate that lies in this stack's own data folder (the only one
trusted here) and takes this stack's own password. An older or foreign listener fails both.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cartridge.errors import ApplyError, MissingError, UnknownVerdictError
from cartridge.probes.bitcoind import Credentials, RefusedError, parse
from cartridge.probes.wait import Patience, until

if TYPE_CHECKING:
    import urllib3

CERTIFICATE = "rpc.cert"
"""Where btcd keeps the certificate it makes at its first start, relative to its data folder."""
_ANSWER_WITHIN = 60.0
_UNAUTHORIZED = 401


class BtcdRpc:
    """JSON-RPC to one btcd; safe to share between threads.

    Args:
        host: where it listens; its certificate must name it.
        port: its RPC port.
        credentials: this stack's own.
        certificate: its TLS certificate, PEM.
    """

    def __init__(self, host: str, port: int, credentials: Credentials, certificate: str) -> None:
        import ssl

        import urllib3

        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.load_verify_locations(cadata=certificate)
        self.address = f"{host}:{port}"
        self._pool = urllib3.HTTPSConnectionPool(host, port, maxsize=16, retries=False, ssl_context=trust)
        self._headers = urllib3.make_headers(basic_auth=f"{credentials.user}:{credentials.password}")

    def call(self, method: str, *parameters: object) -> Any:
        """Return the result of `method`.

        Raises:
            RefusedError: `btcd-refused`, it answered with an error.
            ApplyError: `btcd-foreign`, it is not this stack's.
            UnknownVerdictError: `btcd-unreachable`, no answer.
        """
        answer = self._post({"jsonrpc": "1.0", "id": 0, "method": method, "params": list(parameters)})
        if answer.status == _UNAUTHORIZED:
            raise self._foreign("does not accept the password of this stack")
        reply = parse(answer.data)
        if reply.failure is not None:
            raise RefusedError(f"btcd refused `{method}`: {reply.failure}", code="btcd-refused", number=reply.number)
        return reply.result

    def identify(self) -> None:
        """Check that this is regtest.

        Raises:
            ApplyError: `btcd-foreign`.
        """
        chain = self.call("getblockchaininfo")["chain"]
        if chain != "regtest":
            raise self._foreign(f"is on `{chain}`, not on `regtest`")

    def _post(self, body: dict[str, object]) -> urllib3.BaseHTTPResponse:
        import urllib3

        try:
            return self._pool.request("POST", "/", body=json.dumps(body), headers=self._headers, timeout=_ANSWER_WITHIN)
        except urllib3.exceptions.SSLError as error:
            if "certificate verify failed" not in str(error):
                raise self._unreachable(error) from error
            raise self._foreign("does not hold the key of this stack's certificate") from error
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> UnknownVerdictError:
        return UnknownVerdictError(
            f"btcd at `{self.address}` does not answer",
            code="btcd-unreachable",
            details=(type(error).__name__,),
            resolution="look at `cartridge ps` and `cartridge logs btcd`",
        )

    def _foreign(self, what: str) -> ApplyError:
        return ApplyError(
            f"the btcd at `{self.address}` {what}",
            code="btcd-foreign",
            resolution="another program took the port; run `cartridge up` again",
        )


def ready(read: Callable[[], bytes], connect: Callable[[bytes], BtcdRpc], patience: Patience) -> None:
    """Return once btcd answers and is ours.

    Args:
        read: returns its certificate; raises MissingError as long as it has made none.
        connect: returns its RPC, given the certificate.
        patience: how long.

    Raises:
        ApplyError: `btcd-foreign`, somebody else answers.
        UnknownVerdictError: `wait-timeout`.
        InterruptError: the patience was cancelled.
    """

    def answers() -> BtcdRpc:
        rpc = connect(read())
        rpc.call("getblockcount")
        return rpc

    until(answers, "btcd to answer", patience, expected=(UnknownVerdictError, MissingError, ValueError)).identify()
