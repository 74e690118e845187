"""Components of a stack that fail, told from Docker's own stream of events. Judges nothing, needs no SDK."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlencode

from cartridge.errors import MissingError
from cartridge.targets.docker import endpoint, labels
from cartridge.targets.docker.glance import glance
from cartridge.targets.driver import ComponentState


class DockerDeaths:
    """See `targets.driver.Deaths`.

    Args:
        stack: the stack's id.
        host: the Engine; None is the local default.

    Raises:
        MissingError: `target-down`.
    """

    def __init__(self, stack: str, host: str | None) -> None:
        self._stack, self._host, self._closed = stack, host, threading.Event()
        self._connection = endpoint.Quick(endpoint.socket_path(host))
        filters = {**labels.of_stack(stack), "event": ["die"], "type": ["container"]}
        try:
            self._connection.request("GET", f"/events?{urlencode({'filters': json.dumps(filters)})}")
            self._socket: socket.socket = self._connection.sock
            self._events = self._connection.getresponse()
        except (OSError, http.client.HTTPException, MissingError) as error:
            self._connection.close()
            raise _gone() from error
        self._socket.settimeout(None)  # events come when they come

    def __iter__(self) -> Iterator[str]:
        """Yield the name of each component that has failed, those that had already first."""
        with contextlib.closing(self._events):
            yield from self._failed()
            while self._next():
                yield from self._failed()
        if not self._closed.is_set():
            raise _gone()

    def close(self) -> None:
        """End the watch; an iteration under way in another thread ends."""
        self._closed.set()
        with contextlib.suppress(OSError):  # the Engine closed it first
            self._socket.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _next(self) -> bool:
        """Return at the next death; False where there will be none."""
        try:
            return bool(self._events.readline())
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            return False  # the last of these is http.client's own, where `close` came between two of its steps

    def _failed(self) -> Iterator[str]:
        for name, look in glance(self._stack, self._host).items():
            if look.state is ComponentState.FAILED:
                yield name


def _gone() -> MissingError:
    return MissingError(
        "the Docker Engine went away",
        code="target-down",
        resolution="start it again and repeat the command; nothing has to be cleaned up",
    )
