"""Five lnd and five LDK nodes from one document: everybody pays everybody, before and after nodes were killed."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path

import pytest

from cartridge.artifacts.installed import Installed
from cartridge.lightning.nodes.node import Node, PaymentError
from cartridge.operations.access.drivers import driver
from cartridge.targets.docker.client import connect
from tests.integration.lightning.live import LiveNetwork, live_network

STACK = Path(__file__).parents[2] / "examples/mixed-ten.yaml"
AMOUNT, FEE = 20_000_000, 200_000
"""Millisatoshis of a payment, and of what its way may cost."""
LANES = 10
"""Payments at the same time."""
TRIES = 3
"""A payment may meet another one in a channel that has not settled yet."""


@pytest.fixture(
    scope="module", params=["process", pytest.param("docker", marks=(pytest.mark.docker, pytest.mark.pulumi))]
)
def live(
    request: pytest.FixtureRequest, programs: Mapping[str, Installed], ldk_program: Installed
) -> Iterator[LiveNetwork]:
    """The ten nodes, up."""
    del programs, ldk_program  # they are in the store now
    with live_network(request.param) as network:
        (network.project.folder / "stacks/net.yaml").write_bytes(STACK.read_bytes())
        network.up()
        yield network


@pytest.mark.ldk
@pytest.mark.lightning
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_node_pays_every_node_also_after_one_of_each_was_killed(live: LiveNetwork) -> None:
    """Ninety payments, twice: `up` brings the killed ones back, with their channels."""
    before = live.nodes()
    assert len(before) == 10
    assert failures(before) == []
    identities = {name: node.info().pubkey for name, node in before.items()}

    for victim in ("cleo", "dora"):
        kill(live, victim)
    live.up("--refresh")

    after = live.nodes()
    assert {name: node.info().pubkey for name, node in after.items()} == identities
    assert failures(after) == []


def failures(nodes: Mapping[str, Node]) -> list[str]:
    """Let everybody pay everybody, and return what did not pass."""
    with ThreadPoolExecutor(LANES) as lanes:
        return [word for word in lanes.map(lambda pair: failure(nodes, *pair), permutations(nodes, 2)) if word]


def failure(nodes: Mapping[str, Node], payer: str, payee: str) -> str:
    """Return why a payment did not pass, or ""."""
    why = ""
    for _ in range(TRIES):
        request = nodes[payee].invoice(AMOUNT).request
        try:
            nodes[payer].pay(request, fee_limit=FEE)
        except PaymentError as error:
            why = f"{payer} to {payee}: {error.reason}"
        else:
            return ""
    return why


def kill(live: LiveNetwork, name: str) -> None:
    """Kill a node at once."""
    identity = driver(live.context(), live.state()).conditions()[name].identity
    if live.target == "process":
        os.kill(int(identity), signal.SIGKILL)
        return
    with contextlib.closing(connect()) as client:
        client.kill(identity)
