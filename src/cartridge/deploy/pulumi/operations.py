"""The operations on one stack's state: each is one CLI process with our provider attached, and its failure told.

Imports `pulumi` only once the CLI is starting. What our own provider failed with is raised as it is; the engine's
retelling of it is used only where there is nothing better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cartridge.clock import Clock
from cartridge.deploy.abandon import Abandonment
from cartridge.deploy.pulumi import cli, healing
from cartridge.deploy.pulumi.cli import Cli
from cartridge.deploy.pulumi.events import Heard
from cartridge.deploy.pulumi.graph import Graph
from cartridge.deploy.pulumi.kinds import Making
from cartridge.errors import ApplyError, CartridgeError, UnknownVerdictError
from cartridge.journal.recorder import Recorder

if TYPE_CHECKING:
    from cartridge.deploy.pulumi.server import Services

Makings = Callable[[], Making]
"""Returns what the provider's kinds need; called for each act."""
Graphs = Callable[[], Graph]
"""Returns what the program registers; called once the CLI asks for it."""


class Operations:
    """Everything Pulumi is asked for on one stack.

    Args:
        tool: the CLI and the stack's files.
        clock: what waiting passes by.
        recorder: the journal.
        abandonment: failed with what goes wrong in our own code, and raised in place of the engine's retelling.
    """

    def __init__(self, tool: Cli, clock: Clock, recorder: Recorder, abandonment: Abandonment) -> None:
        self._tool, self._clock, self._recorder, self._abandonment = tool, clock, recorder, abandonment

    def up(self, making: Makings, graph: Graphs, *, refresh: bool) -> None:
        """Bring the resources to what the graph says.

        Args:
            making: what the provider works with.
            graph: what is wanted.
            refresh: look at what there is first, because it is known to differ from Pulumi's state.

        Raises:
            ApplyError: `pulumi-failed`, or what a resource failed with.
        """
        if self.mend(making, graph):
            refresh = False
        self._run("up", making, graph, ("--refresh",) if refresh else ())
        self._tool.backend.keep_salt()

    def destroy(self, making: Makings, graph: Graphs, begun: Callable[[], object]) -> None:
        """Remove every resource Pulumi knows of.

        Args:
            making: what the provider works with.
            graph: empty.
            begun: called once the CLI is starting; what is imported before that only keeps it waiting.

        Raises:
            ApplyError: `pulumi-failed`, or what a resource failed with.
        """
        self.mend(making, graph)
        self._run("destroy", making, graph, (), begun=begun)

    def preview(self, making: Makings, graph: Graphs) -> dict[str, str]:
        """Return what `up` would do, by URN: `create`, `same`, `replace`, `update`, `delete`."""
        return self._run("preview", making, graph, ()).operations

    def mend(self, making: Makings, graph: Graphs) -> bool:
        """Undo what a killed process left in the state; return whether the state was refreshed for it."""
        backend = self._tool.backend
        backend.prepare()
        if freed := healing.free_locks(backend, self._clock):
            self._recorder.note(f"removed {freed} lock(s) of processes that are dead")
        if not backend.has_pending():
            return False
        self._recorder.note("an earlier run was killed half-way; looking at what it made")
        self._run("refresh", making, graph, ("--clear-pending-creates",))
        return True

    def _run(
        self,
        operation: str,
        making: Makings,
        graph: Graphs,
        flags: Sequence[str],
        *,
        begun: Callable[[], object] = lambda: None,
        again: bool = True,
    ) -> Heard:
        heard = Heard()

        def serve() -> Services:
            begun()
            return _services(making, graph, heard, self._abandonment)

        with self._recorder.step(f"pulumi/{operation}", f"pulumi: {operation}"):
            ended = cli.operate(self._tool, operation, flags, serve, heard)
            if ended.status == 0:
                return heard
            said = "\n".join(ended.tail)
            if again and "no stack named" in said:
                cli.initialise(self._tool)
                return self._run(operation, making, graph, flags, begun=begun, again=False)
            raise self._abandonment.failure or _failure(operation, ended, said)


def _services(making: Makings, graph: Graphs, heard: Heard, abandonment: Abandonment) -> Services:
    from pulumi.runtime.proto import events_pb2_grpc, language_pb2_grpc, provider_pb2_grpc

    from cartridge.deploy.pulumi.language import LanguageHost
    from cartridge.deploy.pulumi.listener import Listener
    from cartridge.deploy.pulumi.program import declare
    from cartridge.deploy.pulumi.provider import Provider
    from cartridge.deploy.pulumi.server import Services

    services: Any = Services()  # takes handlers as a server does, without being one
    events_pb2_grpc.add_EventsServicer_to_server(Listener(heard), services)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(lambda urn: making(), abandonment.fail), services)
    host = LanguageHost(lambda folder: declare(graph()), abandonment.fail)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, services)
    collected: Services = services
    return collected


def _failure(operation: str, ended: cli.Ended, said: str) -> CartridgeError:
    if "currently locked" in said:
        return UnknownVerdictError(
            "another process is at work on Pulumi's state of this stack",
            code="stack-locked",
            details=ended.tail,
            resolution="wait until it is done and repeat the command",
        )
    complaints = tuple(complaint.text for complaint in ended.heard.complaints if complaint.severity == "error")
    return ApplyError(
        f"`pulumi {operation}` ended with status {ended.status}",
        code="pulumi-failed",
        details=complaints or ended.tail,
        resolution="repeat the command: what is there is adopted; `cartridge down` removes it",
    )
