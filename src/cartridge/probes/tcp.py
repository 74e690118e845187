"""Is a TCP port open? Says nothing about who listens: a probe of identity must follow where that matters."""

from __future__ import annotations

import socket

from cartridge.probes.wait import Patience, until

_CONNECT_WITHIN = 1.0


def ready(host: str, port: int, patience: Patience) -> None:
    """Return once a connection to `host`:`port` is accepted.

    Raises:
        UnknownVerdictError: `wait-timeout`.
        InterruptError: the patience was cancelled.
    """

    def accepted() -> bool:
        with socket.create_connection((host, port), timeout=_CONNECT_WITHIN):
            return True

    until(accepted, f"`{host}:{port}` to accept connections", patience, expected=(OSError,))
