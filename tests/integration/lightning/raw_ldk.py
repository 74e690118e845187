"""LDK nodes as bare processes on a bare bitcoind; their configuration comes from the shipped template."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from cartridge.errors import UnknownVerdictError
from cartridge.lightning.choreography import raise_network
from cartridge.lightning.genesis import Genesis
from cartridge.lightning.nodes.ldk import Ldk, load_identity
from cartridge.lightning.nodes.lnd import Lnd
from cartridge.lightning.nodes.node import Node
from cartridge.lightning.run import Handles
from cartridge.model.network import Network
from cartridge.probes import ldk
from cartridge.probes.wait import until
from tests.integration.lightning.raw import Programs, RawStack, raw_stack

SETTINGS = SimpleNamespace(fee_source="chain", ldk_log_level="info", anchor_reserve=0)


@contextlib.contextmanager
def raw_ldk(programs: Programs, daemon: Path, network: Network) -> Iterator[Handles]:
    """Give a raised network whose nodes are all LDK, and remove everything of it afterwards."""
    with paid_ldk(programs, daemon, network) as (stack, handles):
        raise_network(stack.network, handles, stack.recorder, stack.patience)
        yield handles


@contextlib.contextmanager
def paid_ldk(programs: Programs, daemon: Path, network: Network) -> Iterator[tuple[RawStack, Handles]]:
    """Give a stack whose nodes are all LDK: they run, are paid, and have no channels; remove all afterwards."""
    nodes_of = {name: node.model_copy(update={"implementation": "ldk"}) for name, node in network.nodes.items()}
    network = network.model_copy(update={"nodes": nodes_of})
    with raw_stack(programs, network) as stack:
        genesis = Genesis({"ldk": daemon}, stack.stack, network, fresh=tuple(network.nodes), recorder=stack.recorder)
        stack.start_bitcoind()
        genesis.pay(stack.chain)
        stack.seed(genesis)
        nodes = {name: start_ldk(stack, daemon, name) for name in network.nodes}
        for node in nodes.values():
            ldk.ready(node, stack.patience)
        addresses = {name: stack.address(name, "p2p") for name in nodes}
        yield stack, Handles(stack.chain, {name: Ldk(node) for name, node in nodes.items()}, addresses)


@contextlib.contextmanager
def raw_mixed(programs: Programs, daemon: Path, network: Network) -> Iterator[Handles]:
    """Give the running nodes of a network, lnd and LDK, paid and without channels; remove all afterwards."""
    with raw_stack(programs, network) as stack:
        stack.settings = {**stack.settings, "zero_conf": "always", "taproot": "always"}
        made = {"lnd": programs.wallet, "ldk": daemon}
        genesis = Genesis(made, stack.stack, network, fresh=tuple(network.nodes), recorder=stack.recorder)
        stack.start_bitcoind()
        genesis.pay(stack.chain)
        stack.seed(genesis)
        others = [name for name, node in network.nodes.items() if node.implementation == "lnd"]
        for name in others:
            stack.start_node(name)
        found: dict[str, Node] = {
            name: Ldk(start_ldk(stack, daemon, name)) for name in network.nodes if name not in others
        }
        for name in others:
            stack.wait_node(name)
            found[name] = Lnd(stack.rest(name))
        addresses = {name: stack.address(name, "p2p") for name in network.nodes}
        handles = Handles(stack.chain, {name: found[name] for name in network.nodes}, addresses)
        for node in handles.nodes.values():
            until(lambda node=node: node.info().synced, "a node", stack.patience, expected=(UnknownVerdictError,))
        yield handles


def start_ldk(stack: RawStack, daemon: Path, name: str) -> ldk.LdkHttp:
    """Start a node and return how to ask it."""
    conf = stack.render("ldk.toml", name, settings=SETTINGS, listen=stack.api_address)
    stack.start(name, [str(daemon), str(conf)])
    identity = load_identity(lambda path: (stack.data(name) / path).read_bytes())
    return ldk.LdkHttp(name, "127.0.0.1", stack.ports[name, "rest"], identity)
