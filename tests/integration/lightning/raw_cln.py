"""Core Lightning nodes as bare processes on a bare bitcoind; their configuration comes from the shipped template.

Runs where `lightningd` and `lightning-cli` are on PATH: the project obtains them nowhere.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from cartridge.lightning.chains.bitcoind import Output
from cartridge.lightning.choreography import raise_network
from cartridge.lightning.identities import wallet_seed
from cartridge.lightning.nodes.cln import Cln
from cartridge.lightning.run import Handles
from cartridge.lightning.topology import funding
from cartridge.model.network import Network
from cartridge.probes import cln
from cartridge.probes.wait import until
from tests.integration.lightning.raw import Programs, RawStack, raw_stack

SETTINGS = SimpleNamespace(cln_log_level="debug", poll=1_000, fast_gossip=True, cln_confirmations=1, cltv_delta=6)


@contextlib.contextmanager
def raw_cln(programs: Programs, lightningd: Path, network: Network) -> Iterator[Handles]:
    """Give a raised network of Core Lightning nodes, and remove everything of it afterwards."""
    with raw_stack(programs, network) as stack:
        stack.start_bitcoind()
        stack.chain.premine(2)
        for name in network.nodes:
            _start(stack, programs, lightningd, name)
        nodes = {name: Cln(cln.ClnRpc(name, stack.data(name)), stack.rpc.block_transactions) for name in network.nodes}
        for node in nodes.values():
            cln.ready(cln.ClnRpc(node.name, stack.data(node.name)), stack.patience)
        _fund(stack, network, nodes)
        handles = Handles(stack.chain, nodes, {name: stack.address(name, "p2p") for name in nodes})
        raise_network(network, handles, stack.recorder, stack.patience)
        yield handles


def _start(stack: RawStack, programs: Programs, lightningd: Path, name: str) -> None:
    place = stack.data(name) / cln.NETWORK
    place.mkdir(parents=True)
    (place / "hsm_secret").write_bytes(wallet_seed(stack.stack, name))
    client = str(programs.bitcoind.parent / "bitcoin-cli")
    conf = stack.render("cln.conf", name, settings=SETTINGS, program=lambda *_: client)
    argv = [str(lightningd), "--developer", f"--lightning-dir={stack.data(name)}", f"--conf={conf}"]
    stack.start(name, argv)


def _fund(stack: RawStack, network: Network, nodes: dict[str, Cln]) -> None:
    outputs = [
        Output(nodes[name].new_address(), amount) for name, amounts in funding(network).items() for amount in amounts
    ]
    stack.chain.pay(outputs)

    def arrived() -> bool:
        return sum(len([coin for coin in node.coins() if coin.confirmations]) for node in nodes.values()) == len(
            outputs
        )

    until(arrived, "the coins", stack.patience)
