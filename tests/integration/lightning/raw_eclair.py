"""eclair nodes as bare processes on a bare bitcoind; their configuration comes from the shipped template.

Runs where `eclair-node` is on PATH: the project obtains it nowhere.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from cartridge.lightning.choreography import raise_network
from cartridge.lightning.identities import seed_files
from cartridge.lightning.late import pay_late
from cartridge.lightning.nodes.eclair import Eclair
from cartridge.lightning.nodes.eclair_calls import make_wallets
from cartridge.lightning.run import Handles
from cartridge.model.network import Network
from cartridge.probes import eclair
from tests.integration.lightning.raw import Programs, RawStack, raw_stack

SETTINGS = SimpleNamespace(block_delay=10, gossip_interval=1_000, eclair_cltv_delta=144)


@contextlib.contextmanager
def raw_eclair(programs: Programs, program: Path, network: Network) -> Iterator[Handles]:
    """Give a raised network of eclair nodes, and remove everything of it afterwards."""
    with raw_stack(programs, network) as stack:
        stack.start_bitcoind()
        stack.chain.premine(2)
        make_wallets(stack.rpc, tuple(network.nodes))
        for name in network.nodes:
            _start(stack, program, name)
        nodes = {name: _node(stack, name) for name in network.nodes}
        handles = Handles(stack.chain, nodes, {name: stack.address(name, "p2p") for name in nodes})
        pay_late(network, handles, stack.recorder, stack.patience)
        raise_network(network, handles, stack.recorder, stack.patience)
        yield handles


def _node(stack: RawStack, name: str) -> Eclair:
    host, _, port = stack.api_address(name, "api").rpartition(":")
    http = eclair.EclairHttp(name, host, int(port), stack.secrets["rpc_password"])
    eclair.ready(http, stack.address(name, "p2p"), stack.patience)
    return Eclair(http, stack.rpc)


def _start(stack: RawStack, program: Path, name: str) -> None:
    place = stack.data(name)
    place.mkdir(parents=True, exist_ok=True)
    for path, content in seed_files("eclair", stack.stack, name).items():
        (place / path).write_bytes(content)
    conf = stack.render("eclair.conf", name, settings=SETTINGS, listen=stack.api_address, reach=stack.api_address)
    argv = [str(program), f"-Declair.datadir={place}", f"-Dconfig.file={conf}", "-Declair.printToConsole=true"]
    environment = {"HOME": str(place), "PATH": os.defpath, "JAVA_OPTS": "-Xmx512m"}
    stack.start(name, argv, environment)
