"""Ports that are held: bound but not listened on, so that a component can take them and a stranger cannot.

On Linux a port bound with SO_REUSEADDR by a socket that does not listen can be bound and listened on by another
socket that sets SO_REUSEADDR as well, as daemons do; the kernel never hands it out for port 0 or for an outgoing
connection. Between our own stacks an abstract socket named after the port keeps it apart.
Standard library only: the guardian uses it.
"""

from __future__ import annotations

import socket
import sys

from cartridge.targets.process import wire


class TakenError(Exception):
    """The port is somebody else's."""


class Held:
    """A port that is ours until `release`."""

    __slots__ = ("_claim", "_socket", "number")

    def __init__(self, number: int, holder: socket.socket, claim: socket.socket | None) -> None:
        self.number, self._socket, self._claim = number, holder, claim

    def release(self) -> None:
        """Let go of it."""
        self._socket.close()
        if self._claim is not None:
            self._claim.close()


def hold(number: int) -> Held:
    """Hold port `number` of the loopback address.

    Raises:
        TakenError: another stack holds it, or a stranger uses it.
    """
    claim = _claim(number)
    holder = socket.socket()
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((wire.LOOPBACK, number))
    except OSError as error:
        holder.close()
        if claim is not None:
            claim.close()
        raise TakenError(error.strerror) from error
    return Held(number, holder, claim)


def hold_free() -> Held:
    """Hold a port that was nobody's.

    Raises:
        TakenError: there is none left.
    """
    for _ in range(100):
        holder = socket.socket()
        try:
            holder.bind((wire.LOOPBACK, 0))  # without SO_REUSEADDR, so that it is certainly nobody's
            number = holder.getsockname()[1]
            claim = _claim(number)
        except (OSError, TakenError):
            holder.close()
            continue
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return Held(number, holder, claim)
    raise TakenError("no free port")


def claim_name(number: int) -> str:
    """Return the abstract socket's name, as /proc/net/unix shows it."""
    return f"@cartridge/port/{number}"


def _claim(number: int) -> socket.socket | None:
    if sys.platform != "linux":
        return None
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind("\0" + claim_name(number)[1:])
    except OSError as error:
        claim.close()
        raise TakenError("held by another stack") from error
    return claim
