"""eclair nodes as bare processes on a bare bitcoind; their configuration comes from the shipped template.

Runs where `eclair-node` is on PATH: the project obtains it nowhere.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import jinja2

from cartridge import spawn
from cartridge.lightning.choreography import raise_network
from cartridge.lightning.eclair import Eclair
from cartridge.lightning.eclair_calls import make_wallets
from cartridge.lightning.identities import seed_files
from cartridge.lightning.late import pay_late
from cartridge.lightning.run import Handles
from cartridge.model.network import Network
from cartridge.probes import eclair
from tests.integration.lightning.raw import ROOT, Programs, RawStack, raw_stack

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
    host, _, port = _address(stack, name, "api").rpartition(":")
    http = eclair.EclairHttp(name, host, int(port), stack.secrets["rpc_password"])
    eclair.ready(http, stack.address(name, "p2p"), stack.patience)
    return Eclair(http, stack.rpc)


def _address(stack: RawStack, component: str, port: str) -> str:
    return stack.address(component, "rest" if port == "api" else port)  # one of those an lnd would have


def _start(stack: RawStack, program: Path, name: str) -> None:
    place, conf = stack.data(name), stack.folder / f"{name}.conf"
    place.mkdir(parents=True, exist_ok=True)
    for path, content in seed_files("eclair", stack.stack, name).items():
        (place / path).write_bytes(content)
    text = (ROOT / "templates" / "eclair.conf.j2").read_text()
    conf.write_text(
        jinja2.Template(text, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True).render(
            component=SimpleNamespace(name=name),
            node=stack.network.nodes[name],
            settings=SETTINGS,
            secrets=SimpleNamespace(**stack.secrets),
            listen=partial(_address, stack),
            reach=partial(_address, stack),
        )
    )
    argv = [str(program), f"-Declair.datadir={place}", f"-Dconfig.file={conf}", "-Declair.printToConsole=true"]
    environment = {"HOME": str(place), "PATH": os.defpath, "JAVA_OPTS": "-Xmx512m"}
    with (stack.folder / f"{name}.log").open("ab") as log:
        stack.processes[name] = spawn.start(argv, environment=environment, output=log)
