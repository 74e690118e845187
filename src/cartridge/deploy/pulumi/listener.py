"""Receives the events of Pulumi's engine over gRPC. Imports `pulumi`, so it is imported late."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import events_pb2_grpc

from cartridge.deploy.pulumi.events import Heard, hear


class Listener(events_pb2_grpc.EventsServicer):
    """Takes the engine's events as they come."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard

    def StreamEvents(self, request_iterator: Iterator[Any], context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802
        """Take every event until the engine closes the stream."""
        for request in request_iterator:
            hear(self._heard, json.loads(request.event))
        self._heard.ended.set()
        return empty_pb2.Empty()
