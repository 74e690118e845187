"""The real daemons under a real guardian: they take the ports that are held for them, and end when asked."""

from __future__ import annotations

import base64
import json
import os
import signal
import urllib.request
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from cartridge.artifacts.installed import Installed
from cartridge.deploy.engine import Wanted
from cartridge.model.cartridge import Port, Stop
from cartridge.render.bundle import RenderedComponent
from tests.conformance.waiting import until
from tests.integration.process.conftest import Stack

pytestmark = pytest.mark.lightning

Programs = Mapping[str, Installed]
"""The store's, by artifact."""

BITCOIND_PORTS = ("rpc", "p2p", "zmq-block", "zmq-tx")
LND_PORTS = ("grpc", "rest", "p2p")


def asked(stack: Stack, name: str, ports: tuple[str, ...]) -> Wanted:
    """Return a component with those ports and nothing else yet."""
    wanted = stack.wanted(name)
    return replace(wanted, ports={port: Port(container=1) for port in ports}, stop=Stop(grace="20 s"))


def bitcoind(programs: Programs, wanted: Wanted, at: dict[str, str]) -> Wanted:
    """Return bitcoind on the addresses that are held for it."""
    options = f"""-regtest -datadir=. -printtoconsole -server -listen=1 -dnsseed=0 -rpcuser=u -rpcpassword=p
        -rpcbind={at["rpc"]} -rpcallowip=127.0.0.1 -rpcport={at["rpc"].split(":")[1]} -bind={at["p2p"]}
        -zmqpubrawblock=tcp://{at["zmq-block"]} -zmqpubrawtx=tcp://{at["zmq-tx"]}"""
    command = (str(programs["bitcoind"].binaries["bitcoind"]), *options.split())
    return replace(wanted, rendered=RenderedComponent(wanted.name, command, {"HOME": "/nonexistent"}, ()))


def lnd(programs: Programs, wanted: Wanted, at: dict[str, str], chain: dict[str, str]) -> Wanted:
    """Return lnd on the addresses that are held for it."""
    options = f"""--lnddir=. --noseedbackup --nobootstrap --bitcoin.regtest --bitcoin.node=bitcoind
        --bitcoind.rpchost={chain["rpc"]} --bitcoind.rpcuser=u --bitcoind.rpcpass=p
        --bitcoind.zmqpubrawblock=tcp://{chain["zmq-block"]} --bitcoind.zmqpubrawtx=tcp://{chain["zmq-tx"]}
        --rpclisten={at["grpc"]} --restlisten={at["rest"]} --listen={at["p2p"]}"""
    command = (str(programs["lnd"].binaries["lnd"]), *options.split())
    return replace(wanted, rendered=RenderedComponent(wanted.name, command, {"HOME": "/nonexistent"}, ()))


def height(address: str) -> int | None:
    """Return the chain's height, or None while bitcoind does not answer."""
    login = base64.b64encode(b"u:p").decode()
    question = urllib.request.Request(
        f"http://{address}", b'{"method": "getblockcount", "id": 1}', {"Authorization": f"Basic {login}"}
    )
    try:
        with urllib.request.urlopen(question, timeout=5) as answer:
            return int(json.load(answer)["result"])
    except OSError:
        return None


def test_bitcoind_and_lnd_take_the_ports_held_for_them_twice(stack: Stack, programs: Programs) -> None:
    chain, node = asked(stack, "chain", BITCOIND_PORTS), asked(stack, "alice", LND_PORTS)
    stack.engine.begin(stack.lease())
    place = stack.engine.place({one.name: (one.ports, {}, one.installed) for one in (chain, node)})
    at = {one.name: {port: place.listen(one.name, port) for port in one.ports} for one in (chain, node)}
    chain = bitcoind(programs, chain, at["chain"])
    node = replace(lnd(programs, node, at["alice"], at["chain"]), depends_on=("chain",))
    driver = stack.engine.driver()

    def gate(name: str) -> None:
        if name == "alice":
            until(lambda: height(at["chain"]["rpc"]) == 0, "bitcoind answers")

    def is_active() -> bool:
        return any(
            b"Server is now active" in line or b"Waiting for chain backend" in line for line in driver.logs("alice")
        )

    stack.engine.apply([chain, node], (), gate, lambda _: None)
    until(is_active, "lnd listens on all its ports")
    for name in ("alice", "chain"):
        driver.stop(name)
    stopped = driver.conditions()
    driver.start("chain")
    until(lambda: height(at["chain"]["rpc"]) == 0, "bitcoind answers on the same port")
    driver.start("alice")
    starts = lambda: sum(b"Opened wallet" in line for line in driver.logs("alice"))  # noqa: E731
    until(lambda: starts() == 2, "lnd started again on the same ports")

    assert {name: (str(one.state), one.exit_status) for name, one in stopped.items()} == {
        "alice": ("stopped", 0),
        "chain": ("stopped", 0),
    }
    assert {name: str(one.state) for name, one in driver.conditions().items()} == {
        "alice": "running",
        "chain": "running",
    }


def test_a_data_folder_of_bitcoind_is_whole_after_the_guardian_was_killed(stack: Stack, programs: Programs) -> None:
    chain = asked(stack, "chain", BITCOIND_PORTS)

    def up() -> dict[str, str]:
        stack.engine.begin(stack.lease())
        place = stack.engine.place({"chain": (chain.ports, {}, chain.installed)})
        at = {port: place.listen("chain", port) for port in chain.ports}
        stack.engine.apply([bitcoind(programs, chain, at)], (), lambda _: None, lambda _: None)
        until(lambda: height(at["rpc"]) == 0, "bitcoind answers")
        return at

    first = up()
    os.kill(stack.hello().pid, signal.SIGKILL)
    stack.wait_empty()

    assert height(first["rpc"]) is None
    assert up() == first
