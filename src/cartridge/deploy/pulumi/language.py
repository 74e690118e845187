"""Runs the Pulumi program in this process: the part of a language host that the CLI asks for.

Written against the protocol, because the SDK's own class for it is private. One run at a time; a run has its own
event loop and its own copy of the context, so that runs never see each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import platform
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from google.protobuf import empty_pb2
from pulumi.errors import RunError
from pulumi.runtime import run_in_stack
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2
from pulumi.runtime.settings import reset_options

from cartridge import __version__
from cartridge.errors import CartridgeError

Program = Callable[[Path], None]
"""Registers resources; told the folder of the program Pulumi was asked to run."""
THREADS = 32
"""Registrations at a time."""


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Answers the CLI's questions about the program and runs it.

    Args:
        program: called for a preview as well, so it must have no effects of its own.
        failed: told of an error of ours that ended the program.
    """

    def __init__(self, program: Program, failed: Callable[[CartridgeError], None] = lambda error: None) -> None:
        self._program, self._failed = program, failed

    def Handshake(self, request: object, context: grpc.ServicerContext) -> language_pb2.LanguageHandshakeResponse:  # noqa: N802
        """Agree."""
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: object, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:  # noqa: N802
        """Return our version."""
        return plugin_pb2.PluginInfo(version=__version__)

    def About(self, request: object, context: grpc.ServicerContext) -> language_pb2.AboutResponse:  # noqa: N802
        """Return what runs the program."""
        return language_pb2.AboutResponse(executable=sys.executable, version=platform.python_version())

    def GetRequiredPackages(  # noqa: N802
        self, request: object, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """Return none: the provider is attached or beside us."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(  # noqa: N802
        self, request: object, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPluginsResponse:
        """Return none, as an older CLI asks it."""
        return language_pb2.GetRequiredPluginsResponse()

    def Cancel(self, request: object, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802
        """Take note; the engine fails what is under way by itself."""
        return empty_pb2.Empty()

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> language_pb2.RunResponse:  # noqa: N802
        """Run the program and answer when every resource is registered."""
        try:
            error = contextvars.copy_context().run(_run, request, self._program, context)
        except CartridgeError as failure:
            self._failed(failure)
            error = failure.brief
        return language_pb2.RunResponse(error=error)


def _run(request: language_pb2.RunRequest, program: Program, context: grpc.ServicerContext) -> str:
    """Run the program on a loop of its own and return what went wrong, or ""."""
    reset_options(
        project=request.project,
        stack=request.stack,
        monitor_address=request.monitor_address,
        engine_address=request.args[0] if request.args else "",
        parallel=request.parallel,
        preview=request.dryRun,
        organization=request.organization or "organization",
    )
    folder = Path(request.info.program_directory or request.pwd)
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="program"))
    loop.set_exception_handler(lambda _, __: None)  # what fails is reported by the RPC that failed
    run = loop.create_task(run_in_stack(lambda: program(folder)))
    context.add_callback(lambda: _give_up(loop, run))
    try:
        loop.run_until_complete(run)
    except RunError as error:
        return str(error)
    except asyncio.CancelledError:
        return "Pulumi went away"
    except grpc.RpcError as error:
        # the engine's monitor goes first when the engine gives up: it knows why
        return "" if error.code() == grpc.StatusCode.UNAVAILABLE else str(error.details())
    finally:
        _finish(loop)
    return ""


def _give_up(loop: asyncio.AbstractEventLoop, run: asyncio.Task[None]) -> None:
    """End a run whose caller is gone: some of what it waits for would never come."""
    with contextlib.suppress(RuntimeError):  # the run has ended, and its loop with it
        loop.call_soon_threadsafe(run.cancel)


def _finish(loop: asyncio.AbstractEventLoop) -> None:
    pending = asyncio.all_tasks(loop)
    for task in pending:
        task.cancel()
    if pending:
        loop.run_until_complete(asyncio.wait(pending))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
