"""The provider `cartridge` as Pulumi's protocol has it.

One class for both of its lives: attached to our own run, and as the executable `pulumi-resource-cartridge`.

Every act is a kind's (`kinds`); here requests are taken apart and failures told. `Cancel` comes at every normal end
as well, so it means nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf import any_pb2, empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from cartridge import __version__
from cartridge.deploy.pulumi.kinds import Kind, Making, Properties, kind_of
from cartridge.errors import CartridgeError

Context = grpc.ServicerContext


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Answers Pulumi's engine.

    Args:
        making: returns what kinds need for a resource, by its URN; asked late, so Docker may be connected to meanwhile.
        failed: told of each failure of ours; the engine gets only its sentence.
    """

    def __init__(
        self, making: Callable[[str], Making], failed: Callable[[Exception], None] = lambda error: None
    ) -> None:
        self._making, self._failed = making, failed

    def Attach(self, request: Any, context: Context) -> empty_pb2.Empty:  # noqa: N802
        """Agree; compulsory for an attached provider."""
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Context) -> plugin_pb2.PluginInfo:  # noqa: N802
        """Return our version."""
        return plugin_pb2.PluginInfo(version=__version__)

    def GetSchema(self, request: Any, context: Context) -> provider_pb2.GetSchemaResponse:  # noqa: N802
        """Return the smallest schema there is: programs use the classes in `program`."""
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": "cartridge", "version": __version__}))

    def CheckConfig(self, request: Any, context: Context) -> provider_pb2.CheckResponse:  # noqa: N802
        """Take the configuration as it is: there is none."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Context) -> provider_pb2.DiffResponse:  # noqa: N802
        """Find no difference."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Context) -> provider_pb2.ConfigureResponse:  # noqa: N802
        """Say what we can do."""
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: Context) -> provider_pb2.CheckResponse:  # noqa: N802
        """Take the inputs as they are: `workspace` has checked what they come from."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Context) -> provider_pb2.DiffResponse:  # noqa: N802
        """Compare by digest; what differs there is made anew, the old one first out of the way."""
        kind = self._kind(request.urn, context)
        old, new = _plain(request.olds), _plain(request.news)
        replaces = kind.replacing(old, new)
        if replaces:
            return provider_pb2.DiffResponse(
                changes=provider_pb2.DiffResponse.DIFF_SOME, replaces=replaces, diffs=replaces, deleteBeforeReplace=True
            )
        if kind.is_idle(old):
            return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_SOME, diffs=["running"])
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Create(self, request: Any, context: Context) -> provider_pb2.CreateResponse:  # noqa: N802
        """Make or adopt; one that exists but does not run is reported as half made, so that it is not forgotten."""
        inputs = _plain(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(id="", properties=request.properties)
        outputs = self._make(request.urn, inputs, context)
        return provider_pb2.CreateResponse(id=inputs["name"], properties=_struct(outputs))

    def Update(self, request: Any, context: Context) -> provider_pb2.UpdateResponse:  # noqa: N802
        """Make it run again."""
        inputs = _plain(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=request.news)
        return provider_pb2.UpdateResponse(properties=_struct(self._make(request.urn, inputs, context)))

    def Read(self, request: Any, context: Context) -> provider_pb2.ReadResponse:  # noqa: N802
        """Look at it; an empty id says that it is gone."""
        kind = self._kind(request.urn, context)
        seen = self._told(context, lambda: kind.look(self._making(request.urn), request.id, _plain(request.properties)))
        if seen is None:
            return provider_pb2.ReadResponse(id="")
        return provider_pb2.ReadResponse(id=request.id, properties=_struct(seen), inputs=request.inputs)

    def Delete(self, request: Any, context: Context) -> empty_pb2.Empty:  # noqa: N802
        """Remove it; gone already is as good."""
        kind = self._kind(request.urn, context)
        self._told(context, lambda: kind.remove(self._making(request.urn), request.id))
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Context) -> empty_pb2.Empty:  # noqa: N802
        """Do nothing: it comes at every normal end."""
        return empty_pb2.Empty()

    def _kind(self, urn: str, context: Context) -> Kind:
        kind: Kind = self._told(context, lambda: kind_of(urn))
        return kind

    def _make(self, urn: str, inputs: Properties, context: Context) -> Properties:
        """Make the resource; a failure after it exists says so in the protocol's own words."""
        making = self._told(context, lambda: self._making(urn))
        kind = self._kind(urn, context)
        try:
            return kind.make(making, inputs)
        except Exception as error:  # noqa: BLE001 - a gate may fail in any way; whoever runs the operation is told
            self._failed(error)
            failure = error
        seen = self._told(context, lambda: kind.look(making, inputs["name"], inputs))
        if seen is None:
            context.abort(grpc.StatusCode.UNKNOWN, _sentence(failure))
        half = provider_pb2.ErrorResourceInitFailed(
            id=inputs["name"], properties=_struct(seen or {}), inputs=_struct(inputs), reasons=[_sentence(failure)]
        )
        detail = any_pb2.Any()
        detail.Pack(half)
        code = grpc.StatusCode.UNKNOWN
        status = status_pb2.Status(code=code.value[0], message=_sentence(failure), details=[detail])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(code, _sentence(failure))
        raise AssertionError("abort raises")

    def _told(self, context: Context, act: Callable[[], Any]) -> Any:
        """Return what `act` does; its failure is noted and ends the call."""
        try:
            return act()
        except CartridgeError as error:
            self._failed(error)
            context.abort(grpc.StatusCode.UNKNOWN, _sentence(error))


def _plain(properties: struct_pb2.Struct) -> Properties:
    found: Properties = json_format.MessageToDict(properties)
    return found


def _struct(properties: Properties) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(properties)
    return made


def _sentence(error: Exception) -> str:
    if not isinstance(error, CartridgeError):
        return f"{type(error).__name__}: {error}"
    return "\n".join((f"{error.brief} ({error.code})", *error.details[-5:]))
