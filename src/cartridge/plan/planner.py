"""Compares a resolved stack with the state of the last `up` and says what to do, and why.

`plan(stack, state, pins)` is the whole interface; it neither looks at what runs (drift is the engine's to see)
nor at the clock. The order of the changes is the order of the work: what goes away first, in reverse
dependency order; then what comes, in dependency order; channels and wallets last. Channels of a node that goes are
closed before it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cartridge.model.network import Network
from cartridge.plan.balances import balance_changes
from cartridge.plan.change import Change, ChangeKind, Plan
from cartridge.plan.channels import channel_changes, channel_records
from cartridge.plan.digest import component_parts, digest
from cartridge.plan.state import ChannelRecord, ComponentRecord, State
from cartridge.workspace.resolved import ResolvedComponent, ResolvedStack


def plan(stack_id: str, stack: ResolvedStack, state: State | None, pins: Mapping[str, str]) -> Plan:
    """Return every change `up` would make, doing nothing included.

    Args:
        stack_id: unique on this machine.
        stack: what is wanted.
        state: what the last `up` left, or None.
        pins: by artifact, the digest of its entry in the lock.
    """
    old = dict(state.components) if state else {}
    wanted = {component.name: component for component in stack.components}
    gone = [
        Change(ChangeKind.DELETE, f"component/{name}", "the stack no longer has it")
        for name in reversed(old)
        if name not in wanted
    ]
    coming = [_component(stack, component, old.get(component.name), pins) for component in stack.components]
    closed, channels = _channels(stack.network, state, (*gone, *coming))
    wallets = balance_changes(stack.network, _given(state, coming))
    changes = (*closed, *gone, *coming, *channels, *wallets, *_unfinished(state))
    return Plan(stack_id, changes, stack_digest(stack, pins))


def stack_digest(stack: ResolvedStack, pins: Mapping[str, str]) -> str:
    """Return the SHA-256 (hex) over everything that decides what the stack is."""
    parts = {component.name: component_parts(stack, component, pins) for component in stack.components}
    return digest([stack.name, stack.target.value, parts, stack.network])


def network_digest(network: Network | None) -> str:
    """Return the digest of what the network says beside its channels: nodes and their balances."""
    return digest(network.nodes if network else None)


def _component(
    stack: ResolvedStack, component: ResolvedComponent, old: ComponentRecord | None, pins: Mapping[str, str]
) -> Change:
    resource = f"component/{component.name}"
    if old is None:
        return Change(ChangeKind.CREATE, resource, "it does not exist yet")
    if old.kind != component.kind:
        return Change(ChangeKind.REPLACE, resource, f"it was a `{old.kind}` and is now a `{component.kind}`")
    parts = component_parts(stack, component, pins)
    differing = [word for word, value in parts.items() if old.parts.get(word) != value]
    if differing:
        return Change(ChangeKind.UPDATE, resource, f"its {_listed(differing)} changed")
    return Change(ChangeKind.KEEP, resource, "nothing it is made of changed")


def _channels(
    network: Network | None, state: State | None, components: Iterable[Change]
) -> tuple[list[Change], list[Change]]:
    """Return the changes to channels that come before those to components, and the others."""
    named = [(one.kind, one.resource.partition("/")[2]) for one in components]
    leaving = {name for kind, name in named if kind is ChangeKind.DELETE}
    anew = {name for kind, name in named if kind is ChangeKind.REPLACE}
    old = state.channels if state else {}
    changes = channel_changes(channel_records(network), old, leaving=leaving, anew=anew)
    first = [change for change in changes if change.kind is ChangeKind.DELETE and _leads_to(change, old, leaving)]
    return first, [change for change in changes if change not in first]


def _given(state: State | None, components: Iterable[Change]) -> dict[str, int]:
    """Return what the nodes were given that keep their wallets, as far as it is known."""
    stays = {one.resource.partition("/")[2] for one in components if one.kind in {ChangeKind.KEEP, ChangeKind.UPDATE}}
    return {name: amount for name, amount in state.given.items() if name in stays} if state else {}


def _leads_to(change: Change, channels: Mapping[str, ChannelRecord], nodes: Iterable[str]) -> bool:
    record = channels[change.resource.partition("/")[2]]
    return not {record.opener, record.acceptor}.isdisjoint(nodes)


def _unfinished(state: State | None) -> list[Change]:
    if state is None or state.ready:
        return []
    return [Change(ChangeKind.START, "stack", "the last `up` did not reach ready")]


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
