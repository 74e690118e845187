"""Our provider and our language host as programs that a plain Pulumi CLI starts: they print their port and serve.

Started by Pulumi alone, from the project's folder; ended by it, or with it. Says nothing else on stdout.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pulumi.runtime.proto import language_pb2_grpc, provider_pb2_grpc

from cartridge.clock import Clock
from cartridge.deploy.pulumi.kinds import Making
from cartridge.deploy.pulumi.language import LanguageHost
from cartridge.deploy.pulumi.provider import Provider
from cartridge.deploy.pulumi.server import Server, Services

PAUSE = 0.5
"""Seconds between two looks whether Pulumi is still there."""


def serve_provider(making: Callable[[str], Making], clock: Clock) -> None:
    """Serve the provider until Pulumi is gone.

    Args:
        making: returns what kinds need for a resource, by its URN.
        clock: what waiting passes by.
    """
    services: Any = Services()
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(making), services)
    _serve(services, clock)


def serve_language(clock: Clock) -> None:
    """Serve a language host whose programs are Python files, run in this process, until Pulumi is gone."""
    services: Any = Services()
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(run_file), services)
    _serve(services, clock)


def run_file(folder: Path) -> None:
    """Run the program in a folder: its `__main__.py`."""
    sys.path.insert(0, str(folder))
    runpy.run_path(str(folder / "__main__.py"), run_name="__main__")


def _serve(services: Services, clock: Clock) -> None:
    parent = os.getppid()
    server = Server()
    server.start()
    server.provide(services)
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):  # how Pulumi asks a language host to end
        while os.getppid() == parent:
            clock.wait(PAUSE)
    server.stop()
