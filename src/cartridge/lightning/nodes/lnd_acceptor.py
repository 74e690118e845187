"""Takes channels at an lnd before they are confirmed: only those that are expected, only while they are opened.

lnd asks everybody who listens about each channel somebody wants to open with it, and takes none unconfirmed where
nobody says so. What is not expected is answered as if nobody had been asked: it is taken as lnd takes it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Collection, Iterator

import msgspec
from msgspec import Struct

from cartridge.lightning.nodes.node import Guest
from cartridge.probes.lnd import LndRest
from cartridge.probes.websocket import WebSocket

_PATH = "/v1/channels/acceptor?method=POST"
_ANNOUNCED = 1
"""The flag of a channel that is not private."""
_SATOSHI = 1_000


class _Request(Struct, frozen=True):
    node_pubkey: str
    pending_chan_id: str
    funding_amt: int
    push_amt: int
    channel_flags: int


class _Asked(Struct, frozen=True):
    result: _Request


@contextlib.contextmanager
def accepting(rest: LndRest, guests: Collection[Guest]) -> Iterator[bool]:
    """While it lasts, let an lnd take these channels before they are confirmed.

    Raises:
        UnknownVerdictError: `lnd-unreachable`.
    """
    with rest.converse(_PATH) as talk:
        listener = threading.Thread(
            target=_answer, args=(talk, frozenset(guests)), name=f"acceptor-{rest.name}", daemon=True
        )
        listener.start()
        rest.get("/v1/getinfo")  # it takes the same way a little later: by its answer, lnd knows that we listen
        yield False
    listener.join()


def _answer(talk: WebSocket, guests: Collection[Guest]) -> None:
    for message in talk.messages():
        asked = msgspec.json.decode(message, type=_Asked, strict=False).result
        with contextlib.suppress(OSError):  # it has ended: who opens hears it from lnd
            talk.send(
                json.dumps(
                    {"accept": True, "pending_chan_id": asked.pending_chan_id, "zero_conf": _guest(asked) in guests}
                )
            )


def _guest(asked: _Request) -> Guest:
    return Guest(
        opener=base64.b64decode(asked.node_pubkey).hex(),
        capacity=asked.funding_amt,
        push=asked.push_amt // _SATOSHI,
        private=not asked.channel_flags & _ANNOUNCED,
    )
