"""The long way of `up`: load, plan, fetch, place, render, apply with gates, then the network.

Holds the stack's lock throughout. Every act is a step of the journal; after a kill between any two the next
`up` goes on, because the engine adopts what is there and the network opens only what is missing.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from cartridge.deploy import leases, statefile
from cartridge.deploy.engine import Engine, Lease, Placement, Wanted
from cartridge.errors import MissingError
from cartridge.model.target import Target
from cartridge.operations.access import engines, keeper, programs, secrets
from cartridge.operations.access.context import Context
from cartridge.operations.access.locking import locked
from cartridge.operations.access.views import component_views, hints
from cartridge.operations.copying import bases
from cartridge.operations.copying.bases import Start
from cartridge.operations.results.stacks import UpResult
from cartridge.operations.startup import balances, live
from cartridge.operations.startup.again import NetworkAgain
from cartridge.operations.startup.network import NetworkUp
from cartridge.operations.startup.probing import prober
from cartridge.operations.startup.readiness import Readiness
from cartridge.operations.startup.unchanged import unchanged
from cartridge.operations.startup.vigil import Vigil, kept
from cartridge.operations.startup.wanted import assemble, needs, planned, records
from cartridge.plan.change import Change, ChangeKind, Plan
from cartridge.plan.state import ComponentRecord, State
from cartridge.render.templates import render
from cartridge.targets.driver import ComponentState, Driver
from cartridge.workspace.resolved import ResolvedStack

_FINE = frozenset({ComponentState.RUNNING, ComponentState.DONE})
_ORPHANED = 2
"""Seconds for a component to end when what it needs is gone: an lnd without its chain would take all of its grace."""


def bring_up(context: Context, *, fresh: bool = False) -> UpResult:
    """Carry out the plan of the chosen stack and return when it is ready; raises what `up.up` raises.

    Args:
        context: of this run.
        fresh: start from nothing, even where a snapshot of the same definition is there.
    """
    with context.recorder.step("load", "reading the documents"):
        fingerprint = context.fingerprint()
        stack, state, wanted = planned(context)
        programs.refuse_drift(context, stack)
    with locked(context, wanted.stack):
        if statefile.read(context.folder(wanted.stack)) != state:  # another run has ended meanwhile
            if (same := unchanged(context)) is not None:
                return same
            stack, state, wanted = planned(context)
            programs.refuse_drift(context, stack)
        begun = bases.start(context, state, wanted, fresh=fresh)
        state = carry_out(context, stack, wanted, begun)
        context.go_on()  # asked to end in its last moments: the next `up` looks once more
        finish(context, state, fingerprint)
        if stack.network and begun.state is None and not state.restoring:
            bases.remember(context, state)
    views = component_views(context, replace(state, ready=True))
    return UpResult(
        stack=wanted.stack,
        target=stack.target.value,
        changed=True,
        changes=wanted.changes,
        components=views,
        stages=context.stages.chain(),
        hints=hints(state),
    )


def finish(context: Context, state: State, fingerprint: str = "") -> None:
    """Take note that a stack is ready; a fingerprint is by what the next `up` sees that nothing changed."""
    ready = replace(state, ready=True, fingerprint=fingerprint, restoring="", undone=0)
    statefile.write(context.folder(state.stack), ready)


def carry_out(context: Context, stack: ResolvedStack, wanted: Plan, begun: Start) -> State:
    """Carry out a plan from where a run begins and return the state once all is ready; raises what `up.up` raises.

    Whoever calls holds the stack's lock, and takes note with `finish`.
    """
    recorder, folder, state = context.recorder, context.folder(wanted.stack), begun.state
    with recorder.step("artifacts", "fetching programs"):
        installed = programs.ensure(context, stack)
    context.go_on()
    base = bases.fitting(context, begun, versions := bases.versions(installed))
    lease, is_new = taken(context, wanted.stack, state), state is None
    state = replace(
        state or State(wanted.stack, stack.name, stack.target.value, lease.created, definition=begun.definition),
        ready=False,
        expires=lease.expires,
        programs=versions,
        restoring=base.manifest.id if base else "",
        given=balances.given(stack, base.manifest.state if base else state),
    )
    statefile.write(folder, state)  # before the first resource, so that `down` knows the stack whatever happens next
    held = secrets.ensure(folder)
    network: NetworkUp | NetworkAgain | None = None
    if stack.network:
        network = (
            NetworkAgain(context, stack, state, held, base)
            if base
            else NetworkUp(context, stack, state, held, installed)
        )
    try:
        engine = engines.engine(context, stack.target, wanted.stack)
        with recorder.step("lease", "writing the lease"):
            _begin(engine, lease, folder, is_new=is_new)
        context.go_on()
        with recorder.step("place", "reserving ports"):
            places = engine.place(needs(stack, installed))
        with recorder.step("render", "rendering"):
            bundle = render(stack, places)
        context.go_on()
        seeds = network.seeds(places) if network else {}
        order = assemble(stack, bundle, installed, held, seeds, digests(context, stack))
        with kept(engine.driver(), context.cancelled.set) as vigil:
            run = _Run(context, stack, engine, places, held, network, vigil)
            keeper.hold(context, state, live.PATIENCE)  # a network that changes makes its blocks itself
            live.let_go(context, stack, state, wanted, driver=run.driver, places=places)
            try:
                run.carry_out(order, [change for change in wanted.changes if change.resource.startswith("component/")])
            finally:
                state = replace(state, components={**state.components, **run.made(order)})
                statefile.write(folder, state)
            state = replace(state, digest=wanted.digest)
            if network:
                vigil.over(partial(network.complete, run.driver, places), "network")
                state = balances.settle(context, stack, state)
            keeper.release(context, state)
    finally:
        if network:
            network.close()
    return live.after(stack, state, network.points if network else {})


def _begin(engine: Engine, lease: Lease, folder: Path, *, is_new: bool) -> None:
    """Take the lease; where the target is not there at all, a stack that never was leaves no state to end."""
    try:
        engine.begin(lease)
    except MissingError:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        raise


class _Run(Struct, frozen=True):
    """What the engine's work and the waiting for readiness share."""

    context: Context
    stack: ResolvedStack
    engine: Engine
    places: Placement
    held: Mapping[str, str]
    network: NetworkUp | NetworkAgain | None
    vigil: Vigil
    up: set[str] = field(default_factory=set)

    @property
    def driver(self) -> Driver:
        """The grip on what runs."""
        return self.engine.driver()

    def made(self, order: Sequence[Wanted]) -> dict[str, ComponentRecord]:
        """Return what the state shall remember of the components that were started, dead ones included."""
        ports = {one.name: _ports(self.driver, one, self.stack.target) for one in order if one.name in self.up}
        every = records(self.stack, programs.pins(self.context, self.stack), ports)
        return {name: record for name, record in every.items() if name in ports}

    def carry_out(self, order: Sequence[Wanted], changes: Sequence[Change]) -> None:
        """Have the engine carry out the changes, and return when every component is ready."""
        context, driver = self.context, self.driver
        probe = prober(context, driver, self.places, context.folder(self.stack_id), self.held)
        components = {component.name: component for component in self.stack.components}
        readiness = Readiness(components, probe, context.recorder, context.cancelled.set)
        self.vigil.tell(readiness.fail)
        if self.network:
            self.network.prepare(readiness, driver)

        def started(name: str) -> None:
            self.up.add(name)
            readiness.started(name)
            self.vigil.started(name)

        try:
            with context.recorder.step("apply", "starting components"):
                self._stop_dependents(changes)
                self.engine.apply(order, changes, readiness.gate, started)
                readiness.wait()
        except BaseException as error:  # noqa: BLE001 - raised again below, as the failure that came first
            readiness.fail(error)
            raise (readiness.first or error) from None
        finally:
            readiness.close()

    def _stop_dependents(self, changes: Sequence[Change]) -> None:
        """Stop what runs but needs what does not, or will be another: it is started again after it.

        lnd, for one, does not get over a bitcoind that went away under it.
        """
        kept = {change.resource.partition("/")[2] for change in changes if change.kind is ChangeKind.KEEP}
        if not kept:
            return
        found = self.driver.conditions()
        alive = {name for name, condition in found.items() if condition.state in _FINE}
        fine = alive & kept
        for component in self.stack.components:  # in dependency order, so that one stop leads to the next
            if component.name in fine and not fine.issuperset(component.depends_on):
                fine.discard(component.name)
                within = None if alive.issuperset(component.depends_on) else _ORPHANED
                self.driver.stop(component.name, within=within)

    @property
    def stack_id(self) -> str:
        """The stack's id."""
        return self.context.stack_id(self.stack.name)


def digests(context: Context, stack: ResolvedStack) -> dict[str, str]:
    """Return what each component is, by its name."""
    return {name: record.digest for name, record in records(stack, programs.pins(context, stack), {}).items()}


def _ports(driver: Driver, wanted: Wanted, target: Target) -> Mapping[str, int]:
    """Return the host ports of a component; a container's unpublished ones have none."""
    reachable = [name for name, port in wanted.ports.items() if port.publish or target is Target.PROCESS]
    return {name: driver.address(wanted.name, name).port for name in reachable}


def taken(context: Context, stack_id: str, state: State | None) -> Lease:
    """Return the lease of a stack from now on."""
    now = context.clock.now()
    return Lease(
        stack=stack_id,
        owner=context.owner(),
        created=state.created if state else now.isoformat(timespec="seconds"),
        expires=leases.expiry(now, context.options.ttl),
        lock_digest=programs.lock_digest(context),
    )
