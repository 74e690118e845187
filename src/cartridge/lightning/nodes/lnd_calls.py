"""Questions and orders to one lnd over its REST protocol, with refusals told apart. Knows no single order."""

from __future__ import annotations

from collections.abc import Mapping

from cartridge.lightning.nodes.node import NotYetError
from cartridge.probes.lnd import LndRest, RefusedError

_NOT_YET = (
    "synchronizing blockchain",
    "wallet is fully synced",
    "is not online",
    " disconnected",
    "peer exiting",
    "not yet ready",
    "in the process of starting",
    "still syncing",
    "edge not found",
    "unable to get best block info",
    "invoice still open",
)
"""What lnd's refusals say when waiting helps; it has no error numbers for them."""


class LndCalls:
    """The base of `lnd.Lnd`.

    Args:
        rest: how to reach it, and who it must be.
    """

    def __init__(self, rest: LndRest) -> None:
        self._rest = rest

    @property
    def name(self) -> str:
        """Return the node's name in the network."""
        return self._rest.name

    def _get(self, path: str) -> object:
        try:
            return self._rest.get(path)
        except RefusedError as error:
            raise self._translated(error) from error

    def _post(self, path: str, body: Mapping[str, object]) -> object:
        try:
            return self._rest.post(path, body)
        except RefusedError as error:
            raise self._translated(error) from error

    def _delete(self, path: str) -> object:
        try:
            return self._rest.delete(path)
        except RefusedError as error:
            raise self._translated(error) from error

    def _deleting(self, path: str, word: str) -> object:
        try:
            return self._rest.deleting(path, word)
        except RefusedError as error:
            raise self._translated(error) from error

    def _translated(self, error: RefusedError) -> RefusedError | NotYetError:
        if any(sign in error.brief.lower() for sign in _NOT_YET):
            return NotYetError(error.brief, code="lnd-not-yet", resolution="wait a moment and try again")
        return error
