"""Makes what Pulumi is about to ask for while its CLI is still starting: `Create` then adopts it by its labels.

Only what is certainly missing, and nothing is started. A failure is kept for the `Create` that waits for it, so it is
told where it belongs.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from cartridge.deploy.pulumi.graph import Graph
from cartridge.journal.recorder import Recorder
from cartridge.targets.docker.provisioner import Holding, Provisioner

THREADS = 16
"""Resources at a time."""


class Ahead:
    """Work begun ahead of Pulumi.

    Args:
        docker: the Engine.
        graph: what is wanted.
        recorder: the journal.
    """

    def __init__(self, docker: Provisioner, graph: Graph, recorder: Recorder) -> None:
        self._docker, self._graph, self._recorder = docker, graph, recorder
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="ahead")
        self._network: Future[None] | None = None
        self._components: dict[str, Future[None]] = {}

    def begin(self, holding: Holding) -> None:
        """Begin to make the network, and volume and container of each component that has none."""
        if self._graph.network.name not in holding.networks:
            self._network = self._pool.submit(self._make_network)
        for component in self._graph.containers:
            if component not in holding.containers:
                self._components[component] = self._pool.submit(self._make, component)

    def wait(self, component: str) -> bool:
        """Return when what was begun for the component ("" for the network) is done; tell whether anything was.

        Raises:
            CartridgeError: what it failed with.
        """
        begun = self._components.get(component) if component else self._network
        if begun is None:
            return False
        begun.result()
        return True

    def close(self) -> None:
        """Let what was not begun yet go, and wait for the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _make_network(self) -> None:
        with self._recorder.step("make/network", "network: making"):
            self._docker.ensure_network(self._graph.network)

    def _make(self, component: str) -> None:
        with self._recorder.step(f"make/volume/{component}", f"{component}: making its volume"):
            self._docker.ensure_volume(self._graph.volumes[component])
        self.wait("")
        with self._recorder.step(f"make/container/{component}", f"{component}: making its container"):
            self._docker.ensure_container(self._graph.containers[component])
