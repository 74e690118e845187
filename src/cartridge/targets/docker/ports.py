"""Which port of this machine's loopback a container's port is published on.

Chosen here and not by Docker, because Docker chooses anew at every start and a stopped component must come back where
its clients know it. The choice follows the component's name, so two stacks rarely want the same and one stack mostly
gets the same again; below the range from which the system takes ports for outgoing connections.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
from collections.abc import Collection, Iterable

from cartridge.targets.strangers import taken

FIRST, COUNT = 20_000, 10_000
"""The range."""


def choose(seed: str, avoid: Collection[int] = ()) -> int:
    """Return a port that is free right now.

    Args:
        seed: what it is for; decides where the search begins.
        avoid: ports taken already.

    Raises:
        OSError: none of the range is free.
    """
    begin = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big")
    for step in range(COUNT):
        port = FIRST + (begin + step * 7) % COUNT
        if port not in avoid and is_free(port):
            return port
    raise OSError(f"no free port between {FIRST} and {FIRST + COUNT}")


def refuse_taken(insisted: Iterable[tuple[str, str, int]]) -> None:
    """Return where every port that is insisted on (component, its name there, number) is free.

    Raises:
        MissingError: `port-taken`, naming who has it.
    """
    for component, name, number in insisted:
        if not is_free(number):
            raise taken(component, name, number, "somebody listens on it")


def is_free(port: int) -> bool:
    """Tell whether nobody listens on the port of the loopback."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
