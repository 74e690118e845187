"""The one place that speaks to a stack's keeper: how blocks are made, what fees are, and holding both still.

Knows whoever answers by nothing but that he takes this stack's password; decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from cartridge.errors import ApplyError, UnknownVerdictError

if TYPE_CHECKING:
    import urllib3

    from cartridge.probes.bitcoind import Credentials

_ANSWER_WITHIN = 10.0
_FINE = 200


class KeeperStatus(Struct, frozen=True):
    """How a keeper works.

    Attributes:
        mining: `on-demand`, `interval`, `poisson` or `on-transaction`.
        interval_ms: milliseconds between two blocks; for `poisson` the mean.
        seed: of the times of `poisson`.
        fee_rate: satoshis per virtual byte.
        held: it makes no blocks now, because somebody else does.
        mined: blocks it has made since it started.
        failure: why it could not make the last one; "" where it could.
    """

    mining: str
    interval_ms: int
    seed: int
    fee_rate: int
    held: bool
    mined: int
    failure: str


class Keeper:
    """The keeper at an address.

    Args:
        host: where it listens.
        port: its port.
        credentials: of the chain's RPC, which it takes too.
    """

    def __init__(self, host: str, port: int, credentials: Credentials) -> None:
        import urllib3

        self.address = f"{host}:{port}"
        self._pool: urllib3.HTTPConnectionPool = urllib3.HTTPConnectionPool(host, port, maxsize=2, retries=False)
        self._headers = urllib3.make_headers(basic_auth=f"{credentials.user}:{credentials.password}")

    def status(self) -> KeeperStatus:
        """Return how it works; raises what `follow` raises, but for refusals."""
        return self._ask("GET", "/status", None)

    def follow(self, mining: str, interval_ms: int, seed: int) -> KeeperStatus:
        """Have blocks made in another way from now on.

        Raises:
            ApplyError: `keeper-refused`.
            UnknownVerdictError: `keeper-unreachable`.
        """
        return self._ask("POST", "/policy", {"mining": mining, "interval_ms": interval_ms, "seed": seed})

    def say_fee(self, rate: int) -> KeeperStatus:
        """Have it say that fees are `rate` satoshis per virtual byte; raises what `follow` raises."""
        return self._ask("POST", "/fee", {"rate": rate})

    def hold(self, seconds: float) -> KeeperStatus:
        """Have it make no blocks for so long, or go on where it is 0; raises what `follow` raises."""
        return self._ask("POST", "/hold", {"seconds": seconds})

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None) -> KeeperStatus:
        import urllib3

        try:
            answer: urllib3.BaseHTTPResponse = self._pool.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers=self._headers,
                timeout=_ANSWER_WITHIN,
            )
        except urllib3.exceptions.HTTPError as error:
            raise UnknownVerdictError(
                f"the keeper at `{self.address}` does not answer",
                code="keeper-unreachable",
                details=(type(error).__name__,),
                resolution="look at `cartridge ps` and `cartridge logs keeper`; `cartridge up` starts it again",
            ) from error
        if answer.status != _FINE:
            raise ApplyError(
                f"the keeper refused: {answer.data.decode('utf-8', 'replace').strip()}",
                code="keeper-refused",
                resolution="another program may have its port; `cartridge up` puts that right",
            )
        return KeeperStatus(**json.loads(answer.data))
