"""What runs against what the last `up` left: resources that somebody or something changed behind our back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cartridge.deploy.engine import Engine, Wanted
from cartridge.errors import CartridgeError
from cartridge.operations.access import engines, grip, programs, secrets
from cartridge.operations.access.context import Context
from cartridge.operations.startup import live
from cartridge.operations.startup.bring_up import digests
from cartridge.operations.startup.wanted import assemble, needs
from cartridge.plan.change import Change, ChangeKind, Plan
from cartridge.plan.state import State
from cartridge.render.templates import render
from cartridge.workspace.resolved import ResolvedStack

if TYPE_CHECKING:
    from cartridge.lightning.nodes.node import Node, NodeChannel
    from cartridge.lightning.topology import Seen


def drift(context: Context, stack: ResolvedStack, state: State, planned: Plan) -> tuple[Change, ...]:
    """Return what is not as it was left; changes nothing.

    What the documents change is in the plan, not here.

    Raises:
        MissingError: the target does not answer.
    """
    engine = engines.engine(context, stack.target, state.stack)
    components = _components(context, stack, state, engine)
    if stack.network is None:
        return components
    known = {change.resource for change in planned.changes if change.kind is not ChangeKind.KEEP}
    return (*components, *(one for one in _network(context, stack, state, engine) if one.resource not in known))


def _components(context: Context, stack: ResolvedStack, state: State, engine: Engine) -> tuple[Change, ...]:
    installed = programs.ensure(context, stack)
    places = engine.place(needs(stack, installed))
    held = secrets.ensure(context.folder(state.stack))
    wanted: tuple[Wanted, ...] = assemble(stack, render(stack, places), installed, held, {}, digests(context, stack))
    return engine.drift(wanted)


def _network(context: Context, stack: ResolvedStack, state: State, engine: Engine) -> Iterator[Change]:
    """Yield what is different on the nodes that run, and which channels lead to one that does not."""
    from cartridge.lightning.matching import closings, match, strangers
    from cartridge.lightning.observation import how_closed
    from cartridge.lightning.planning import plan_network
    from cartridge.lightning.topology import keys

    assert stack.network is not None
    nodes, former = _alive(context, state, engine), live.former(context, stack, state)
    seen = {name: _look(nodes.get(name)) for name in stack.network.nodes}
    dead = {name for name, one in seen.items() if not one.pubkey}
    ends = {str(key): (key.opener, key.acceptor) for key in keys(stack.network)}
    closed = how_closed(nodes.values())
    for change in plan_network(stack.network, seen, former).changes:
        lost = [f"`{node}`" for node in ends.get(change.resource, ()) if node in dead]
        if lost:
            yield Change(ChangeKind.START, change.resource, f"{' and '.join(lost)} does not run")
        elif change.kind is ChangeKind.CREATE:
            record = state.channels.get(change.resource.partition("/")[2])
            yield Change(change.kind, change.resource, _gone(closed, record.point if record else ""))
        elif change.kind is not ChangeKind.KEEP:
            yield change
    kept = match(stack.network, seen, former)
    names = {one.pubkey: name for name, one in seen.items() if one.pubkey}
    ours = {record.point for record in state.channels.values()}
    for resource, (node, channel) in strangers(seen, kept, closings(seen, kept, former)).items():
        if not dead and channel.point not in ours:
            yield Change(ChangeKind.KEEP, resource, _strange(node, channel, names))


def _alive(context: Context, state: State, engine: Engine) -> Mapping[str, Node]:
    running = live.running(engine.driver())
    return {name: node for name, node in grip.nodes(context, state).items() if name in running}


def _look(node: Node | None) -> Seen:
    """Return what a node looks like; one that does not answer has no public key."""
    from cartridge.lightning.observation import look
    from cartridge.lightning.topology import Seen

    if node is not None:
        with contextlib.suppress(CartridgeError):  # it runs and does not answer: shown as one that does not run
            return look(node)
    return Seen("")


def _gone(closed: Mapping[str, bool], point: str) -> str:
    if point not in closed:
        return "it is not there any more: `up --refresh` opens it again"
    how = "by force" if closed[point] else "by agreement of its ends"
    return f"somebody closed it {how}: `up --refresh` opens it again"


def _strange(node: str, channel: NodeChannel, names: Mapping[str, str]) -> str:
    there = f"`{names[channel.peer]}`" if channel.peer in names else f"a stranger ({channel.peer[:16]}…)"
    ends = f"`{node}` to {there}" if channel.initiator else f"{there} to `{node}`"
    return f"somebody opened it from {ends} over {channel.capacity:_} sat: it is left alone"
