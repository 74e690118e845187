"""The engine of the Docker target: Pulumi decides and remembers, our provider acts (see `deploy.engine.Engine`).

One CLI process an operation, none where nothing changed. Whatever a kill leaves is found again by its labels, so the
next operation goes on from there. Docker is the truth, Pulumi's state a memory of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cartridge.artifacts.installed import Installed
from cartridge.clock import Clock
from cartridge.deploy.abandon import Abandonment
from cartridge.deploy.engine import Gate, Lease, Started, Wanted
from cartridge.deploy.leases import Entry, registry
from cartridge.deploy.pulumi import drift, epochs
from cartridge.deploy.pulumi.ahead import Ahead
from cartridge.deploy.pulumi.backend import Backend
from cartridge.deploy.pulumi.graph import Graph, Plot, draw, resource, shared_network
from cartridge.deploy.pulumi.kinds import Making
from cartridge.deploy.pulumi.placement import Components, DockerPlacement
from cartridge.deploy.pulumi.sweep import sweep
from cartridge.errors import ApplyError, CartridgeError, InterruptError, MissingError
from cartridge.journal.recorder import Recorder
from cartridge.plan.change import Change, ChangeKind
from cartridge.targets.docker import asked, endpoint, images, notes
from cartridge.targets.docker import ports as host_ports
from cartridge.targets.docker.driver import DockerDriver
from cartridge.targets.docker.glance import strike
from cartridge.targets.docker.provisioner import Holding, Provisioner
from cartridge.targets.docker.specs import NetworkSpec
from cartridge.workspace.settings import Settings

if TYPE_CHECKING:
    from cartridge.deploy.pulumi.operations import Operations

TARGET = "docker"
WORDS = {"create": ChangeKind.CREATE, "update": ChangeKind.START, "same": ChangeKind.KEEP, "delete": ChangeKind.DELETE}
"""What Pulumi's words mean in ours; every other one is a replacement."""
LATE = 3.0
"""Seconds for which the Engine may still be at work on what a killed run asked for."""
LOOK_AGAIN = 0.05


class PulumiEngine:
    """One stack in Docker.

    Args:
        stack: the stack's id.
        folder: its folder of state.
        settings: where the user's things are.
        clock: the time.
        recorder: the journal.
        pulumi: returns the CLI's path; asked only when it is needed.
        hold: returns the path of tools/hold for containers; None starts them when their gates open.
    """

    def __init__(
        self,
        stack: str,
        folder: Path,
        settings: Settings,
        *,
        clock: Clock,
        recorder: Recorder,
        pulumi: Callable[[], Path],
        hold: Callable[[], Path] | None = None,
    ) -> None:
        self._stack, self._folder = stack, folder
        self._settings, self._clock, self._recorder, self._pulumi = settings, clock, recorder, pulumi
        self._hold = hold
        self._leases = registry(settings)
        self._backend = Backend(stack, folder)
        self._lease: Lease | None = None
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="docker")
        self._connected: Future[Provisioner] | None = None
        self._images: tuple[Future[object], ...] = ()
        self._begun: tuple[Future[object], ...] = ()
        self._has_begun = False

    def suppose(self, lease: Lease) -> None:
        """Take a lease without writing it, for looking only."""
        self._lease = lease

    def begin(self, lease: Lease) -> None:
        """Write the lease and begin to connect.

        Raises:
            MissingError: `docker-missing`, `docker-permission`, `docker-remote`.
        """
        endpoint.dial(endpoint.socket_path(None), 5.0).close()
        self.suppose(lease)
        self._has_begun = True
        self._leases.write(Entry(lease, TARGET, str(self._folder.absolute())))
        self._backend.prepare()
        self._backend.write_environment()
        self._connect()

    def place(self, components: Components) -> DockerPlacement:
        """Return the placement; after `begin`, also begin with what no rendering decides: images and the network.

        Raises:
            MissingError: `lease-missing`, `begin` comes first.
        """
        network = shared_network(self._held_lease(), str(self._folder.absolute()))
        if self._has_begun:
            different = {images.tag(installed): installed for _, _, installed in components.values()}
            self._images = tuple(self._pool.submit(self._image, installed) for installed in different.values())
            # containers are made meanwhile: whoever starts them waits for it (`Ahead`)
            self._begun = (*self._images, self._pool.submit(self._network, network))
        return DockerPlacement(components)

    def apply(self, wanted: Sequence[Wanted], changes: Sequence[Change], gate: Gate, started: Started) -> None:
        """Carry out the changes, through Pulumi unless everything is as wanted already.

        Raises:
            ApplyError: what a resource failed with, or `pulumi-failed`.
            MissingError: `port-taken`, `target-down`, the CLI is missing.
        """
        try:
            self._apply(wanted, changes, gate, started)
        finally:
            wait(self._begun)  # after a failure nothing may come into being behind whoever sweeps

    def _apply(self, wanted: Sequence[Wanted], changes: Sequence[Change], gate: Gate, started: Started) -> None:
        for image in self._images:
            image.result()
        docker = self.docker()
        holding = docker.holding()
        host_ports.refuse_taken(_insisted(wanted, holding))
        graph = self.graph(wanted, changes, holding)
        wrong = {change.resource for change in drift.differences(graph, holding)}
        there = [spec for name, spec in graph.containers.items() if name in holding.containers]
        held = frozenset(spec.component for spec in there if docker.is_held(spec))
        fine = {one.name for one in wanted if f"component/{one.name}" not in wrong} - held
        for name in fine:
            started(name)
        known = self._backend.known()
        if wrong or held or drift.urns(graph, self._stack) != known or self._backend.has_pending():
            self._up(docker, graph, holding, held, gate=gate, started=partial(_unless, fine, started))

    def destroy(self) -> tuple[str, ...]:
        """Remove everything of the stack: from Docker by its labels, and from Pulumi's state by its CLI."""
        wait(self._begun)  # what `place` began is perhaps still on its way, and would outlive the sweep
        struck = self._pool.submit(strike, self._stack)
        known = self._backend.known()
        removed = set(map(resource, known))
        if known or self._backend.has_pending():
            removed |= self._forget()
        removed |= self._sweep(asked.unanswered(self._folder) - removed)
        struck.result()
        for leftover in (self._backend.work, notes.folder(self._folder), asked.folder(self._folder)):
            shutil.rmtree(leftover, ignore_errors=True)
        self._backend.plain_config.unlink(missing_ok=True)
        self._leases.remove(self._stack)
        return tuple(sorted(removed))

    def drift(self, wanted: Sequence[Wanted]) -> tuple[Change, ...]:
        """Compare what Docker has with what the last `apply` left."""
        holding = self.docker().holding()
        return tuple(drift.differences(self.graph(wanted, (), holding), holding))

    def preview(self, wanted: Sequence[Wanted], changes: Sequence[Change]) -> tuple[Change, ...]:
        """Return what Pulumi would do, a change a resource; the cross-check of `plan`. Changes nothing."""
        docker = self.docker()
        graph = self.graph(wanted, changes, docker.holding())
        making = Making(docker, lambda: graph, _nothing, _nothing, self._recorder)
        words = self._operations(Abandonment(), self._pulumi()).preview(lambda: making, lambda: graph)
        found = {resource(urn): word for urn, word in words.items() if resource(urn)}
        return tuple(
            Change(WORDS.get(word, ChangeKind.REPLACE), name, f"Pulumi says `{word}`")
            for name, word in sorted(found.items())
        )

    def driver(self) -> DockerDriver:
        """Return the grip on what runs."""
        return DockerDriver(self._stack, self._clock)

    def _up(
        self,
        docker: Provisioner,
        graph: Graph,
        holding: Holding,
        held: frozenset[str],
        *,
        gate: Gate,
        started: Started,
    ) -> None:
        abandonment = Abandonment()

        def ask(component: str) -> None:
            abandonment.call(partial(gate, component), f"gate-{component}")

        program = self._pulumi()
        self._backend.keep_program(program)
        operations = self._operations(abandonment, program)
        epochs.write(self._backend.work, {name: volume.epoch for name, volume in graph.volumes.items()})
        refresh = drift.is_lost(graph, holding, self._backend.known(), self._stack)
        ahead = Ahead(docker, graph, self._recorder, gate=ask, started=started, abandonment=abandonment)
        ahead.begin(holding, held)
        making = Making(docker, lambda: graph, ask, started, self._recorder, ahead.wait)
        try:
            ahead.settle()
            operations.up(lambda: making, lambda: graph, refresh=refresh)
        finally:
            ahead.close()
        if abandonment.failure is not None:
            raise abandonment.failure
        sweep(docker, holding.without(graph.containers), self._recorder, _nothing)

    def _sweep(self, awaited: Set[str] = frozenset()) -> set[str]:
        """Remove what is there, and what the Engine still makes for a run that was killed, as it comes; return both.

        A container that comes in between holds its volume, which is refused until the container is seen as well.
        """
        docker, removed = self.docker(), set[str]()
        deadline = self._clock.monotonic() + LATE
        while True:
            is_late = self._clock.monotonic() >= deadline
            try:
                sweep(docker, docker.holding(), self._recorder, removed.add)
            except ApplyError:
                if is_late or not asked.unanswered(self._folder):
                    raise
            else:
                if is_late or awaited <= removed:
                    return removed
            self._clock.wait(LOOK_AGAIN)

    def _forget(self) -> set[str]:
        """Let Pulumi take note that everything goes, and sweep meanwhile; return what was swept.

        Where it cannot take note, its state goes with the stack all the same.
        """
        swept: list[Future[set[str]]] = []

        def making() -> Making:
            wait(swept)
            return Making(self.docker(), _no_graph, _nothing, _nothing, self._recorder, is_ending=True)

        try:
            operations = self._operations(Abandonment(), self._backend.program() or self._pulumi())
            operations.destroy(making, _no_graph, lambda: swept.append(self._pool.submit(self._sweep)))
        except InterruptError:
            raise
        except CartridgeError as error:
            self._recorder.note(f"Pulumi could not take note ({error.brief}); its state is removed as it is", "warning")
        return {resource for one in swept for resource in one.result()}

    def graph(self, wanted: Sequence[Wanted], changes: Sequence[Change], holding: Holding) -> Graph:
        """Return the resources of the wanted components, given what there is."""
        recorded = {name: seen.published for name, seen in holding.containers.items()}
        made = {one.name for one in wanted if (seen := holding.containers.get(one.name)) and seen.digest == one.digest}
        numbers = epochs.after(epochs.read(self._backend.work), changes, made)
        hold = self._hold().read_bytes() if self._hold else b""
        return draw(wanted, Plot(self._held_lease(), str(self._folder.absolute()), numbers, recorded, hold))

    def _held_lease(self) -> Lease:
        if self._lease is None:
            entry = self._leases.read(self._stack)
            if entry is None:
                raise MissingError(f"`{self._stack}` has no lease", code="lease-missing", resolution="`cartridge up`")
            self._lease = entry.lease
        return self._lease

    def _operations(self, abandonment: Abandonment, program: Path) -> Operations:
        from cartridge.deploy.pulumi.cli import Cli
        from cartridge.deploy.pulumi.operations import Operations

        tool = Cli(program, self._backend, self._settings.path, self._settings.home)
        return Operations(tool, self._clock, self._recorder, abandonment)

    def _connect(self) -> Future[Provisioner]:
        if self._connected is None:
            self._connected = self._pool.submit(Provisioner.connect, self._stack)
        return self._connected

    def docker(self) -> Provisioner:
        """Return what acts on Docker."""
        return self._connect().result()

    def _network(self, network: NetworkSpec) -> None:
        with self._recorder.step("make/network", "network: making"):
            self.docker().ensure_network(network)

    def _image(self, installed: Installed) -> images.Image:
        with self._recorder.step(f"image/{installed.artifact}", f"{installed.artifact}: image"):
            return self.docker().ensure_image(installed)


def _unless(told: set[str], started: Started, component: str) -> None:
    """Tell of a component that is not among those told already."""
    if component not in told:
        started(component)


def _insisted(wanted: Sequence[Wanted], holding: Holding) -> Iterator[tuple[str, str, int]]:
    """Yield each host port that is asked for by number (component, its name, number) and is not the stack's own yet."""
    own = {number for seen in holding.containers.values() if seen.is_running for number in seen.published.values()}
    for one in wanted:
        yield from ((one.name, port, number) for port, number in one.host_ports.items() if number not in {0, *own})


def _nothing(component: str) -> None:
    """Stand where nothing starts."""


def _no_graph() -> Graph:
    raise MissingError("there is no graph where everything goes", code="graph-missing")
