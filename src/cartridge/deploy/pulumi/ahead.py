"""Does what Pulumi is about to ask for before its CLI is started: `Create` then adopts it by its labels.

Only what is certainly missing. A failure is kept for the `Create` that waits for it, so it is told where it belongs.
Containers start here as well, each through its gate, which knows the order; Pulumi takes note while they become ready.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor

from cartridge.deploy.abandon import Abandonment
from cartridge.deploy.engine import Gate, Started
from cartridge.deploy.pulumi.bringing import Bringing, bring
from cartridge.deploy.pulumi.graph import Graph
from cartridge.errors import ApplyError
from cartridge.journal.recorder import Recorder
from cartridge.targets.docker.conditions import Inspection
from cartridge.targets.docker.provisioner import Holding, Provisioner
from cartridge.targets.docker.specs import ContainerSpec


class Ahead:
    """Work begun ahead of Pulumi.

    Args:
        docker: the Engine.
        graph: what is wanted.
        gate: returns when a component may start.
        started: told of each that runs.
        recorder: the journal.
        abandonment: ends every wait once something failed.
    """

    def __init__(
        self,
        docker: Provisioner,
        graph: Graph,
        recorder: Recorder,
        *,
        gate: Gate,
        started: Started,
        abandonment: Abandonment,
    ) -> None:
        self._docker, self._graph, self._recorder = docker, graph, recorder
        self._gate, self._started, self._abandonment = gate, started, abandonment
        self._pool = ThreadPoolExecutor(len(graph.containers) + 1, thread_name_prefix="ahead")
        self._network: Future[None] | None = None
        self._components: dict[str, Future[None]] = {}
        self._running: dict[str, Future[None]] = {}

    def begin(self, holding: Holding, held: Collection[str]) -> None:
        """Begin with the network, and with every component whose container is not there or still `held`."""
        if self._graph.network.name not in holding.networks:
            self._network = self._pool.submit(self._make_network)
        for component in self._graph.containers:
            if component not in holding.containers or component in held:
                self._running[component] = Future()
                self._components[component] = self._pool.submit(self._make, component)

    def settle(self) -> None:
        """Return when every container that was begun runs; where there are no others, when their own programs run.

        Pulumi's CLI takes half a second of a processor to come up. The Engine needs it while containers start, and
        what opens their gates until the last of them is open; while their programs become ready nobody does. A gate
        may wait for what only Pulumi starts, unless everything was begun here.

        Raises:
            Exception: what one of them failed with.
        """
        everything = self._components.keys() >= self._graph.containers.keys()
        for settled in (self._components if everything else self._running).values():
            self._abandonment.wait(settled)

    def wait(self, component: str) -> bool:
        """Return when what was begun for the component ("" for the network) is done; tell whether anything was.

        Raises:
            Exception: what it failed with.
        """
        begun = self._components.get(component) if component else self._network
        if begun is None:
            return False
        self._abandonment.wait(begun)
        return True

    def close(self) -> None:
        """Let what was not begun yet go; what is under way ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _make_network(self) -> None:
        with self._recorder.step("make/network", "network: making"):
            self._docker.ensure_network(self._graph.network)

    def _make(self, component: str) -> None:
        spec = self._graph.containers[component]
        by = Bringing(self._docker, self._recorder, self._make_container, self._runs, self._gate, self._started)
        try:
            with self._recorder.step(f"make/volume/{component}", f"{component}: making its volume"):
                self._docker.ensure_volume(self._graph.volumes[component])
            bring(by, spec)
        except Exception as error:
            self._abandonment.fail(error)
            raise
        finally:
            self._runs(component)

    def _runs(self, component: str) -> None:
        if not self._running[component].done():
            self._running[component].set_result(None)

    def _make_container(self, spec: ContainerSpec) -> Inspection:
        """Make the container while its network is still being made: an Engine need not have it before the start."""
        try:
            made = self._docker.ensure_container(spec)
        except ApplyError:
            if not self.wait(""):
                raise
            return self._docker.ensure_container(spec)
        self.wait("")
        return made
