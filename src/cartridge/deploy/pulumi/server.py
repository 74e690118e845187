"""The gRPC server the Pulumi CLI talks to; it listens before there is anybody to answer.

So the CLI can start while `pulumi` is still being imported: calls wait until `provide` hands over the services.
Only processes of this user are answered, because a provider holds the key to Docker.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from msgspec import Struct

THREADS = 128
"""Calls at a time; a container's `Create` holds one until the component may start."""
STREAMING = frozenset({"/pulumirpc.Events/StreamEvents"})
"""The one method of ours that takes a stream."""
PATIENCE = 60.0
"""Seconds a call waits for the services."""


class Call(Struct, frozen=True):
    """What a handler is found by."""

    method: str
    invocation_metadata: tuple[tuple[str, str], ...] = ()


class Services:
    """Collects handlers, as a server does, for the server that is to answer with them."""

    def __init__(self) -> None:
        self._handlers: list[Any] = []

    def add_generic_rpc_handlers(self, handlers: Iterable[object]) -> None:
        """Take a service's handlers."""
        self._handlers.extend(handlers)

    def add_registered_method_handlers(self, service: str, handlers: object) -> None:
        """Ignore them: they are among the generic ones."""

    def find(self, method: str) -> Any:
        """Return the handler of a method, or None."""
        found = (handler.service(Call(method)) for handler in self._handlers)
        return next((handler for handler in found if handler is not None), None)


class Server:
    """A gRPC server on the loopback.

    Args:
        port: one that is bound already, to be shared (SO_REUSEPORT); 0 takes a free one.
    """

    def __init__(self, port: int = 0) -> None:
        self._services: Services | None = None
        self._ready = threading.Event()
        self._trusted: set[str] = set()
        self._pool = futures.ThreadPoolExecutor(THREADS, thread_name_prefix="pulumi")
        late = _Late(self._answer, self._answer_stream)
        self._server = grpc.server(self._pool, handlers=[late], options=[("grpc.so_reuseport", 1)])
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")

    def start(self) -> None:
        """Begin to listen."""
        self._server.start()

    def provide(self, services: Services) -> None:
        """Answer with these from now on, calls that wait already included."""
        self._services = services
        self._ready.set()

    def stop(self) -> None:
        """End every call and let the threads go."""
        self._ready.set()
        self._server.stop(grace=0.2).wait()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        handler = self._handler(method, context)
        try:
            answer = handler.unary_unary(handler.request_deserializer(request), context)
        except NotImplementedError:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, method)
        return bytes(handler.response_serializer(answer))

    def _answer_stream(self, method: str, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        handler = self._handler(method, context)
        answer = handler.stream_unary(map(handler.request_deserializer, requests), context)
        return bytes(handler.response_serializer(answer))

    def _handler(self, method: str, context: grpc.ServicerContext) -> Any:
        if not self._is_trusted(context.peer()):
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "another user's process")
        self._ready.wait(PATIENCE)
        handler = self._services.find(method) if self._services else None
        if handler is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, method)
        return handler

    def _is_trusted(self, peer: str) -> bool:
        if peer not in self._trusted:
            address, _, port = peer.removeprefix("ipv4:").rpartition(":")
            if not is_own(address, int(port)):
                return False
            self._trusted.add(peer)
        return True


class _Late(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Takes every call as bytes, whatever the method."""

    def __init__(
        self,
        answer: Callable[[str, bytes, grpc.ServicerContext], bytes],
        answer_stream: Callable[[str, Iterator[bytes], grpc.ServicerContext], bytes],
    ) -> None:
        self._unary, self._stream = answer, answer_stream

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Return the handler of one call."""
        method = handler_call_details.method
        if method in STREAMING:
            return grpc.stream_unary_rpc_method_handler(lambda all_, context: self._stream(method, all_, context))
        return grpc.unary_unary_rpc_method_handler(lambda one, context: self._unary(method, one, context))


def is_own(address: str, port: int, table: Path = Path("/proc/net/tcp")) -> bool:
    """Tell whether the TCP socket bound to `address`:`port` on this machine belongs to this process's user.

    Where the system has no such table (macOS), every local process is taken for the user's own.
    """
    import os

    if not table.exists():
        return True
    wanted = f"{struct.unpack('=I', socket.inet_aton(address))[0]:08X}:{port:04X}"
    for line in table.read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1] == wanted:
            return int(fields[7]) == os.getuid()
    return False
