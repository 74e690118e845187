"""Ends an `up` when one of its components ends by itself: nobody then has to wait for what will never be ready."""

from __future__ import annotations

import threading
from types import TracebackType

from cartridge.deploy.engine import Started
from cartridge.deploy.pulumi.abandon import Abandonment
from cartridge.deploy.pulumi.graph import Graph
from cartridge.errors import ApplyError, CartridgeError
from cartridge.targets.docker.deaths import Death
from cartridge.targets.docker.provisioner import Provisioner

LAST_LINES = 20
"""Lines of a failed component's log that go into the error."""


class Watch:
    """The eye on what was started; as a context, for as long as an `up` takes.

    Args:
        docker: the Engine.
        graph: what is wanted.
        started: told once of each component that runs.
        abandonment: failed with the first death.
    """

    def __init__(self, docker: Provisioner, graph: Graph, started: Started, abandonment: Abandonment) -> None:
        self._docker, self._graph, self._started, self._abandonment = docker, graph, started, abandonment
        self._lock = threading.Lock()
        self._told: set[str] = set()
        self._dead: dict[str, Death] = {}
        self._deaths = docker.deaths()

    def __enter__(self) -> Watch:
        self._deaths.watch(self._died)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deaths.close()

    def started(self, component: str) -> None:
        """Tell that the component runs, the first time; it may have ended already."""
        with self._lock:
            if component in self._told:
                return
            self._told.add(component)
            death = self._dead.get(component)
        self._started(component)
        if death is not None:
            self._judge(death)

    def _died(self, death: Death) -> None:
        with self._lock:
            self._dead[death.component] = death
            is_told = death.component in self._told
        if is_told:
            self._judge(death)

    def _judge(self, death: Death) -> None:
        """Fail the operation if the container that ended is the one that is wanted, and was not meant to end so."""
        spec = self._graph.containers.get(death.component)
        if spec is None or (death.one_shot and death.status == 0):
            return
        try:
            seen = self._docker.container(spec.name)
            if seen is None or seen.identity != death.identity or seen.is_running:
                return
            lines = self._docker.last_lines(spec.name, LAST_LINES)
        except CartridgeError as error:
            self._abandonment.fail(error)
            return
        self._abandonment.fail(
            ApplyError(
                f"`{death.component}` ended by itself with status {death.status}",
                code="component-failed",
                details=lines,
                resolution=f"`cartridge logs {death.component}` has the rest; it was left as it is",
            )
        )
