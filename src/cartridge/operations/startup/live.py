"""What a run must know and do where a network is up already: who leaves it, what stays of it, what it has become.

Joins the plan's memory of channels with `lightning`; decides nothing of either. Looks at no document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from cartridge.deploy.engine import Placement
from cartridge.errors import CartridgeError
from cartridge.operations.access import credentials, grip
from cartridge.operations.access.context import Context
from cartridge.plan.change import ChangeKind, Plan
from cartridge.plan.channels import channel_records, is_rebalanced, must_be_replaced, pair_up
from cartridge.plan.planner import network_digest
from cartridge.plan.state import State
from cartridge.probes.wait import Patience
from cartridge.targets.driver import ComponentState, Driver
from cartridge.workspace.resolved import ResolvedStack

if TYPE_CHECKING:
    from cartridge.lightning.matching import Former
    from cartridge.model.network import Network

PATIENCE, FOR_EACH = 180.0, 2.0
"""Seconds for the whole choreography, and for each node and channel more, where no `--wait-timeout` says otherwise."""


def patience(context: Context, network: Network | None = None) -> Patience:
    """Return how long a run waits for a network, which is the longer the larger it is."""
    things = len(network.nodes) + len(network.channels) if network else 0
    return Patience.of(context.clock, context.limit(PATIENCE + FOR_EACH * things), context.cancelled)


def former(context: Context, stack: ResolvedStack, state: State) -> Former:
    """Return what the run on `stack`, whose network is not None, must know of the channels and nodes in `state`."""
    from cartridge.lightning.matching import Former

    assert stack.network is not None
    new, old = channel_records(stack.network), state.channels
    pairs = pair_up(new, old).items()
    stay = {name: before for name, before in pairs if not must_be_replaced(new[name], old[before])}
    points = {name: old[before].point for name, before in stay.items() if old[before].point}
    drop = {record.point for name, record in old.items() if record.point and name not in stay.values()}
    balance = {name for name, before in stay.items() if is_rebalanced(new[name], old[before])}
    kinds = {component.name: component.kind for component in stack.components}
    left = [name for name, record in state.components.items() if record.node and kinds.get(name) != record.kind]
    gone = credentials.identities(context.folder(state.stack), left)
    return Former(points, frozenset(drop), frozenset(balance), gone, context.options.force_close)


def let_go(
    context: Context, stack: ResolvedStack, state: State, wanted: Plan, *, driver: Driver, places: Placement
) -> None:
    """Close the channels of nodes that are about to be removed or made anew, while they still run.

    Does nothing where no such node runs, or no chain: their channels are then closed by force, once the rest is up.

    Raises:
        ApplyError: `close-refused`, or what the nodes raise.
        UnknownVerdictError: `wait-timeout`.
    """
    ending = {ChangeKind.DELETE, ChangeKind.REPLACE}
    going = {change.resource.partition("/")[2] for change in wanted.changes if change.kind in ending}
    leaving = {name for name, record in state.components.items() if record.node and name in going}
    if not leaving or stack.network is None:
        return
    from cartridge.lightning.choreography import let_go as close_channels_of
    from cartridge.lightning.run import Handles

    there = running(driver)
    if there.isdisjoint(leaving) or not _has_chain(state, there):
        context.recorder.note(f"{_listed(leaving)} can close no channel: what they leave is closed by force")
        return
    alive = {name: node for name, node in grip.nodes(context, state).items() if name in there}
    addresses = {name: places.reach(name, "p2p") for name in alive if name in stack.network.nodes}
    handles = Handles(grip.chain(context, state), alive, addresses)
    limit, force = patience(context, stack.network), context.options.force_close
    close_channels_of(leaving, stack.network, handles, context.recorder, limit, force=force)


def after(stack: ResolvedStack, state: State, points: Mapping[str, str]) -> State:
    """Return the state of a stack that is as written: nothing of what it no longer has, and where its channels are.

    Args:
        stack: what was wanted.
        state: of the run so far.
        points: funding outputs by `channel/` and name.
    """
    names = {component.name for component in stack.components}
    at = {name.removeprefix("channel/"): point for name, point in points.items()}
    return replace(
        state,
        components={name: record for name, record in state.components.items() if name in names},
        channels=channel_records(stack.network, at),
        network=network_digest(stack.network),
    )


def running(driver: Driver) -> set[str]:
    """Return the names of the components that run; none where the target does not answer."""
    try:
        return {name for name, look in driver.conditions().items() if look.state is ComponentState.RUNNING}
    except CartridgeError:  # nothing of it runs; the apply that follows says so where it matters
        return set()


def _has_chain(state: State, running: set[str]) -> bool:
    return any(name in running for name, record in state.components.items() if record.kind in grip.CHAINS)


def _listed(names: set[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
