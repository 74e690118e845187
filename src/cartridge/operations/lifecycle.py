"""A node that is stopped, killed or started while its network is up. Waits until a started one can pay again."""

from __future__ import annotations

from cartridge.errors import CartridgeError
from cartridge.lightning.nodes.node import Node
from cartridge.operations.access import follow, grip
from cartridge.operations.access.context import Context
from cartridge.operations.access.drivers import driver
from cartridge.operations.access.selection import chosen
from cartridge.operations.access.selection import component as known
from cartridge.probes.wait import Patience, until
from cartridge.targets.driver import ComponentState


def stop(context: Context, *, component: str) -> None:
    """End a component as its cartridge says, and return when it has ended.

    Raises:
        MissingError: no such stack or component.
    """
    state = chosen(context)
    with context.recorder.step(f"stop/{component}", f"{component}: stopping"):
        driver(context, state).stop(known(state, component))


def kill(context: Context, *, component: str) -> None:
    """End a component by SIGKILL, as a crash would, and return when it has ended.

    Raises:
        MissingError: no such stack or component.
        UnknownVerdictError: `wait-timeout`.
    """
    state = chosen(context)
    grasp = driver(context, state)
    with context.recorder.step(f"kill/{component}", f"{component}: killing"):
        grasp.kill(known(state, component))

        def ended() -> bool:
            return grasp.conditions()[component].state is not ComponentState.RUNNING

        until(ended, f"`{component}` to end", follow.patience(context))


def start(context: Context, *, component: str) -> None:
    """Start a component again on its data; a node is connected, and its channels with running peers active, after it.

    Raises:
        MissingError: no such stack or component.
        UnknownVerdictError: `wait-timeout`.
    """
    state = chosen(context)
    patience = follow.patience(context)
    with context.recorder.step(f"start/{component}", f"{component}: starting again"):
        driver(context, state).start(known(state, component))
        if not state.components[component].node:
            return
        nodes = grip.nodes(context, state)
        node = nodes[component]
        me = until(lambda: _synced(node), f"`{component}` to be ready", patience, expected=_NOT_UP)
        others, _ = follow.awake({name: other for name, other in nodes.items() if name != component})
        keys = {other.info().pubkey: other for other in others.values()}
        _await_channels(node, me, keys, patience)


_NOT_UP = (CartridgeError,)
"""What a node that is starting answers."""


def _synced(node: Node) -> str:
    info = node.info()
    return info.pubkey if info.synced else ""


def _await_channels(node: Node, pubkey: str, peers: dict[str, Node], patience: Patience) -> None:
    """Return once both ends of each of the node's channels with these peers call it active."""

    def active() -> bool:
        mine = [one for one in node.channels() if not one.pending and one.peer in peers]
        if not all(one.active for one in mine):
            return False
        asked = {one.peer for one in mine}
        theirs = [one for peer in asked for one in peers[peer].channels() if one.peer == pubkey and not one.pending]
        return all(one.active for one in theirs)

    until(active, f"the channels of `{node.name}` to be active", patience, expected=_NOT_UP)
