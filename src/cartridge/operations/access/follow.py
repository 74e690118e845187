"""What verbs share that work on a network that is up: its nodes by key, patience, and blocks that nodes follow.

Joins `grip` with `lightning`'s producer; decides nothing. Starts, stops and configures nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from cartridge.errors import MissingError, UnknownVerdictError
from cartridge.operations.access import credentials, grip
from cartridge.operations.access.context import Context
from cartridge.plan.state import State
from cartridge.probes.wait import Patience

if TYPE_CHECKING:
    from cartridge.lightning.nodes.node import Node
    from cartridge.lightning.producer import BlockProducer

PATIENCE = 60.0
"""Seconds for nodes to follow, where no `--wait-timeout` says otherwise."""
LANES = 16
"""Nodes that are asked at the same time."""


def patience(context: Context, seconds: float = PATIENCE) -> Patience:
    """Return how long a verb waits: what `--wait-timeout` says, else `seconds`."""
    return Patience.of(context.clock, context.limit(seconds), context.cancelled)


def names(context: Context, state: State) -> dict[str, str]:
    """Return the stack's nodes by public key (hex), from what was written down when each was made."""
    nodes = [name for name, record in state.components.items() if record.node]
    return {key: name for name, key in credentials.identities(context.folder(state.stack), nodes).items()}


def peer_address(context: Context, state: State, name: str) -> str:
    """Return the host:port at which the other nodes of the stack reach a node.

    Raises:
        MissingError: `port-unknown`, it has no port for peers.
    """
    if state.target != "docker":
        port = state.components[name].ports.get("p2p")
        host = "127.0.0.1"
    else:  # on the stack's own network, by name; the port there is in no state, as it is not published
        ports = next((one.ports for one in context.resolved().components if one.name == name), {})
        port, host = (ports["p2p"].container if "p2p" in ports else None), name
    if port is None:
        raise MissingError(
            f"`{name}` has no port for peers", code="port-unknown", resolution="its cartridge must name one `p2p`"
        )
    return f"{host}:{port}"


def awake(nodes: Mapping[str, Node]) -> tuple[dict[str, Node], tuple[str, ...]]:
    """Return the nodes that answer, and the names of the others."""
    with ThreadPoolExecutor(max(1, min(LANES, len(nodes)))) as pool:
        answers = dict(zip(nodes, pool.map(_answers, nodes.values()), strict=True))
    return (
        {name: node for name, node in nodes.items() if answers[name]},
        tuple(name for name in nodes if not answers[name]),
    )


def _answers(node: Node) -> bool:
    try:
        node.info()
    except UnknownVerdictError:
        return False
    return True


@contextlib.contextmanager
def producer(context: Context, state: State, nodes: Mapping[str, Node] | None = None) -> Iterator[BlockProducer]:
    """Give the stack's block producer, whose barrier holds these nodes, or all of them.

    Raises:
        MissingError: `no-chain`.
    """
    from cartridge.lightning.producer import BlockProducer

    held = grip.nodes(context, state) if nodes is None else nodes
    with ThreadPoolExecutor(max(1, min(LANES, len(held)))) as pool:
        yield BlockProducer(grip.chain(context, state), held, patience(context), pool)
