"""A stack as plain Pulumi works on it: the same resources from the same documents, whoever started the CLI.

Two processes use it: the one that runs the program asks for the graph and touches nothing; the one that is the provider
asks for the means to carry it out, gates and readiness included. Opening channels stays `cartridge up`'s.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace

from cartridge.artifacts.installed import Installed
from cartridge.deploy import statefile
from cartridge.deploy.engine import Placement, Wanted
from cartridge.deploy.pulumi.engine import PulumiEngine
from cartridge.deploy.pulumi.graph import Graph
from cartridge.deploy.pulumi.kinds import Making
from cartridge.errors import InputError
from cartridge.model.target import Target
from cartridge.operations.access import engines, programs, secrets
from cartridge.operations.access.context import Context
from cartridge.operations.startup.bring_up import digests, taken
from cartridge.operations.startup.network import NetworkUp
from cartridge.operations.startup.probing import prober
from cartridge.operations.startup.readiness import Readiness
from cartridge.operations.startup.wanted import Seed, assemble, needs, planned, records
from cartridge.plan.change import Plan
from cartridge.plan.state import State
from cartridge.render.templates import render
from cartridge.targets.docker.provisioner import Provisioner
from cartridge.targets.docker.specs import component_name
from cartridge.workspace.resolved import ResolvedStack


class PlainStack:
    """One stack.

    Args:
        context: of this process; its options choose the stack and the Docker target.
        stack_id: what Pulumi calls the stack.
    """

    def __init__(self, context: Context, stack_id: str) -> None:
        self._context, self._id = context, stack_id
        self._lock = threading.Lock()

    def graph(self) -> Graph:
        """Return the resources, as a program tells Pulumi of them: no secret, no seed.

        Raises:
            DocumentsError: the files are wrong.
            InputError: `stack-foreign`, no document makes a stack of this id here.
        """
        engine = self._engine
        engine.suppose(taken(self._context, self._id, self._state))
        return self._drawn(engine, _NoSecrets(), {})

    def making(self) -> Making:
        """Return what the provider works with; documents are read and programs fetched only to make something."""
        return Making(
            docker=self._engine.docker(),
            graph=lambda: self._run.graph,
            gate=self._gate,
            started=self._started,
            lost=self._forget,
            recorder=self._context.recorder,
        )

    def _gate(self, component: str) -> None:
        self._run.readiness.gate(component)

    def _started(self, component: str) -> None:
        self._run.started(component)

    def _forget(self, volume: str) -> None:
        """Let the state forget the component whose data went, and the channels that went with it."""
        with self._lock:
            folder = self._context.folder(self._id)
            state = statefile.read(folder)
            if state is None:
                return
            component = next((name for name in state.components if component_name(self._id, name) == volume), "")
            kept = {name: record for name, record in state.components.items() if name != component}
            # names of channels are `from-to-index`; one forgotten too many is found open by the next `up`
            open_still = {name: one for name, one in state.channels.items() if f"-{component}-" not in f"-{name}"}
            statefile.write(folder, replace(state, components=kept, channels=open_still, ready=False))

    @cached_property
    def _engine(self) -> PulumiEngine:
        engine = engines.engine(self._context, Target.DOCKER, self._id)
        assert isinstance(engine, PulumiEngine)
        return engine

    @cached_property
    def _plan(self) -> tuple[ResolvedStack, State | None, Plan]:
        stack, state, plan = planned(self._context)
        if plan.stack != self._id:
            raise InputError(
                f"`{self._id}` is no stack of `{self._context.project.root}`",
                code="stack-foreign",
                resolution=f"select the one that is: `pulumi stack select {plan.stack} --create`",
            )
        return stack, state, plan

    @property
    def _state(self) -> State | None:
        return self._plan[1]

    @cached_property
    def _installed(self) -> Mapping[str, Installed]:
        return programs.ensure(self._context, self._plan[0])

    @property
    def _run(self) -> _Run:
        with self._lock:  # several resources are made at a time
            return self._made

    @cached_property
    def _made(self) -> _Run:
        context, engine, stack = self._context, self._engine, self._plan[0]
        lease = taken(context, self._id, self._state)
        state = self._state or State(self._id, stack.name, stack.target.value, lease.created)
        state = replace(state, ready=False, expires=lease.expires)
        statefile.write(context.folder(self._id), state)
        engine.begin(lease)
        held = secrets.ensure(context.folder(self._id))
        network = NetworkUp(context, stack, state, held, self._installed) if stack.network else None
        graph = self._drawn(engine, held, network.seeds() if network else {})
        driver = engine.driver()
        probe = prober(context, driver, self._places, context.folder(self._id), held)
        components = {component.name: component for component in stack.components}
        readiness = Readiness(components, probe, context.recorder, context.cancelled.set)
        if network:
            network.prepare(readiness, driver)
        run = _Run(context, graph, readiness, stack, state)
        for component in _fine(graph, engine.docker()):  # Pulumi asks for none of these, and others wait for them
            run.started(component)
        return run

    @cached_property
    def _places(self) -> Placement:
        return self._engine.place(needs(self._plan[0], self._installed))

    def _drawn(self, engine: PulumiEngine, held: Mapping[str, str], seeds: Mapping[str, Seed]) -> Graph:
        stack, _, plan = self._plan
        bundle = render(stack, self._places)
        wanted: Sequence[Wanted] = assemble(stack, bundle, self._installed, held, seeds, digests(self._context, stack))
        return engine.graph(wanted, plan.changes, engine.docker().holding())


class _Run(Struct):
    """One plain `pulumi up`, as the provider sees it."""

    context: Context
    graph: Graph
    readiness: Readiness
    stack: ResolvedStack
    state: State
    writing: threading.Lock = field(default_factory=threading.Lock)

    def started(self, component: str) -> None:
        """Begin to ask whether the component is ready, and remember that it is made."""
        made = records(self.stack, programs.pins(self.context, self.stack), {})
        with self.writing:  # several start at a time
            self.state = replace(self.state, components={**self.state.components, component: made[component]})
            statefile.write(self.context.folder(self.state.stack), self.state)
        self.readiness.started(component)


def _fine(graph: Graph, docker: Provisioner) -> Iterator[str]:
    """Yield the components that run as they are wanted."""
    there = docker.holding().containers
    for name, spec in graph.containers.items():
        seen = there.get(name)
        if seen is not None and seen.is_fine and seen.digest == spec.digest and not docker.is_held(spec):
            yield name


class _NoSecrets(dict[str, str]):
    """Stands for secrets where none is needed: what Pulumi is told holds no content of any file."""

    def __missing__(self, name: str) -> str:
        return ""
