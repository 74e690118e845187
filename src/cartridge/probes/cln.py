"""Does Core Lightning answer, on regtest, and is it ours? Also the one place that speaks its JSON-RPC.

It listens on a socket in its own data folder, which only the owner of that folder can open; so whoever answers there
from that folder is ours. That it says the same of its folder is checked all the same.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartridge.errors import ApplyError, UnknownVerdictError
from cartridge.probes.wait import Patience, until

if TYPE_CHECKING:
    from collections.abc import Iterator

NETWORK = "regtest"
SOCKET = "lightning-rpc"
"""The socket's name in the network's folder."""
_ANSWER_WITHIN = 60.0
_PIECE = 1 << 16


@dataclass(eq=False)
class RefusedError(ApplyError):
    """Core Lightning answered with an error; `number` is its code, `data` what it says beside its message."""

    number: int = 0
    data: object = None


class ClnRpc:
    """JSON-RPC to one Core Lightning, a connection for each question; safe to share between threads.

    Args:
        name: the node, for errors.
        folder: its data folder (`lightning-dir`).
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder

    def call(self, method: str, within: float = _ANSWER_WITHIN, **parameters: object) -> Any:
        """Return the result of `method`; parameters that are None are left out.

        Args:
            method: of the JSON-RPC.
            within: seconds to wait for the answer.
            parameters: by the names Core Lightning gives them.

        Raises:
            RefusedError: `cln-refused`, it answered with an error.
            UnknownVerdictError: `cln-unreachable`, no answer.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        question = json.dumps({"jsonrpc": "2.0", "id": "cartridge", "method": method, "params": given})
        try:
            with _connected(self.folder / NETWORK) as line:
                line.settimeout(within)
                line.sendall(question.encode())
                reply = _answer(line)
        except (OSError, ValueError) as error:
            raise UnknownVerdictError(
                f"`{self.name}` does not answer at `{self.folder / NETWORK / SOCKET}`",
                code="cln-unreachable",
                details=(type(error).__name__,),
                resolution=f"look at `cartridge ps` and `cartridge logs {self.name}`",
            ) from error
        return self._result(method, reply)

    def _result(self, method: str, reply: Mapping[str, Any]) -> Any:
        match reply:
            case {"error": {"code": int(number), "message": str(message), **others}}:
                brief = f"`{self.name}` refused `{method}`: {message}"
                raise RefusedError(brief, code="cln-refused", number=number, data=others.get("data"))
            case {"result": result}:
                return result
            case _:
                raise RefusedError(f"`{self.name}` answered `{method}` with no result", code="cln-refused")

    def identify(self) -> str:
        """Check that it is on regtest and keeps its data where this stack does; return its public key.

        Raises:
            ApplyError: `cln-foreign`.
        """
        info = self.call("getinfo")
        network, place = str(info["network"]), Path(str(info["lightning-dir"]))
        if network != NETWORK or place.resolve() != (self.folder / NETWORK).resolve():
            raise ApplyError(
                f"the Core Lightning at `{self.folder}` is on `{network}` with its data in `{place}`",
                code="cln-foreign",
                resolution="end it, and run `cartridge up` again",
            )
        return str(info["id"])


@contextmanager
def _connected(folder: Path) -> Iterator[socket.socket]:
    """Give a connection to the socket in `folder`, whose path may be longer than a socket's address can be."""
    with socket.socket(socket.AF_UNIX) as line:
        place = os.open(folder, os.O_RDONLY)
        try:
            short = Path(f"/proc/self/fd/{place}")
            line.connect(str((short if short.exists() else folder) / SOCKET))
        finally:
            os.close(place)
        yield line


def _answer(line: socket.socket) -> Mapping[str, Any]:
    """Return the one JSON object that comes; raises ValueError where the line ends before it does."""
    raw = b""
    while not raw.endswith(b"\n\n"):  # its own mark of an answer's end
        piece = line.recv(_PIECE)
        if not piece:
            break
        raw += piece
    reply = json.loads(raw)
    if not isinstance(reply, dict):
        raise ValueError("no object")
    return reply


def ready(rpc: ClnRpc, patience: Patience) -> str:
    """Return its public key once Core Lightning answers, follows its bitcoind, and is ours.

    Raises:
        ApplyError: `cln-foreign`, somebody else answers.
        UnknownVerdictError: `wait-timeout`.
        InterruptError: the patience was cancelled.
    """

    def follows() -> bool:
        info = rpc.call("getinfo")
        return not {"warning_bitcoind_sync", "warning_lightningd_sync"} & set(info)

    until(follows, f"`{rpc.name}` to answer", patience, expected=(UnknownVerdictError, RefusedError))
    return rpc.identify()
