"""A network is copied while it runs: kept, brought back, forked, by the real daemons on each target."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conformance.waiting import until
from tests.integration.lightning.copying import CopiedNetwork, copied_network
from tests.scenarios.world import leftovers

pytestmark = [pytest.mark.lightning, pytest.mark.slow]
TARGETS = ["process", pytest.param("docker", marks=[pytest.mark.docker, pytest.mark.pulumi])]
LONGEST_GAP = 1.0
"""Seconds for which a copied network may not pay."""


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the network of each target is kept once it has come up from nothing."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(params=TARGETS)
def network(request: pytest.FixtureRequest, kept: Path) -> Iterator[CopiedNetwork]:
    """A network that is up."""
    with copied_network(request.param) as made:
        made.up(kept / f"{request.param}.tar.gz")
        yield made


@pytest.fixture
def processes(kept: Path) -> Iterator[CopiedNetwork]:
    """A network of processes that is up."""
    with copied_network("process") as made:
        made.up(kept / "process.tar.gz")
        yield made


def test_the_second_up_starts_from_the_network_as_it_was_written(network: CopiedNetwork) -> None:
    written = network.balances()
    points = {channel.point for node in network.nodes().values() for channel in node.channels()}
    network.done("pay", "alice", "bob", "1000 sat")
    network.done("down", "--yes")

    steps = network.done("up").stderr

    assert network.balances() == written
    assert {channel.point for node in network.nodes().values() for channel in node.channels()} == points
    assert ("mining the first blocks" in steps, "becoming active again" in steps) == (False, True)
    assert network.done("up").stdout.splitlines()[0].endswith("nothing changed")
    network.done("pay", "alice", "carol", "1000 sat")


def test_fresh_and_a_changed_definition_start_from_nothing(processes: CopiedNetwork) -> None:
    processes.done("down", "--yes")
    fresh = processes.done("up", "--fresh").stderr
    processes.done("down", "--yes")
    document = processes.project.folder / "stacks" / "net.yaml"
    document.write_text(document.read_text().replace("push: 50%", "push: 40%"))

    changed = processes.done("up").stderr

    assert ["mining the first blocks" in steps for steps in (fresh, changed)] == [True, True]


def test_a_snapshot_brings_back_what_was_and_the_network_pays_on_meanwhile(network: CopiedNetwork) -> None:
    network.done("pay", "alice", "bob", "5000 sat")
    with network.paying() as stream:
        network.done("snapshot", "create", "kept")
    network.done("pay", "alice", "bob", "20_000 sat")
    after = network.balances()
    network.done("restore", "kept", "--yes")

    before = network.balances()
    moved = before["alice"] - after["alice"]

    assert stream.failed == []
    assert stream.longest_gap < LONGEST_GAP
    assert 20_000 <= moved <= 20_000 + len(stream.paid)
    assert before["alice"] + before["bob"] == after["alice"] + after["bob"]
    network.done("pay", "alice", "carol", "1000 sat")


def test_a_fork_has_the_same_balances_and_neither_knows_of_the_other(network: CopiedNetwork) -> None:
    network.done("pay", "alice", "bob", "5000 sat")
    origin = network.balances()
    answer = network.answer("fork", "one")
    same = network.balances("one")
    network.done("pay", "alice", "bob", "1000 sat", "--stack", "one")
    network.done("mine", "2", "--stack", "one")
    network.done("fork", "two", "--stack", "one")
    network.done("pay", "bob", "alice", "300 sat", "--stack", "two")

    states = {name: network.balances(name) for name in ("net", "one", "two")}

    assert (same, states["net"]) == (origin, origin)
    assert states["one"]["alice"] == origin["alice"] - 1_000
    assert states["two"]["alice"] == origin["alice"] - 700
    until(lambda: not network.inactive(*states), "every channel to be active")  # peers may have connected twice
    network.done("pay", "alice", "carol", "1000 sat")  # the plain verbs still mean the first one
    network.done("down", "--yes", "--stack", "one")
    assert leftovers(network.project, str(answer["stack"])) == []
    assert {stack["stack"].partition("-")[0] for stack in network.answer("ps")["stacks"]} == {"net", "two"}


def test_the_first_network_pays_on_while_it_is_forked(network: CopiedNetwork) -> None:
    with network.paying() as stream:
        network.done("fork", "one")

    assert (stream.failed, stream.longest_gap < LONGEST_GAP) == ([], True), stream.longest_gap


def test_many_forks_of_one_snapshot_are_made_at_the_same_time(processes: CopiedNetwork) -> None:
    processes.done("snapshot", "create", "base")
    written = processes.balances()
    names = [f"worker-{number}" for number in range(4)]

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: processes.done("fork", name, "--from", "base"), names))

    for index, name in enumerate(names):
        processes.done("pay", "alice", "bob", f"{index + 1} sat", "--stack", name)
    assert [processes.balances(name)["alice"] for name in names] == [written["alice"] - n for n in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    "step", ["step-started snapshot/copy", "step-ended snapshot/copy", "step-started snapshot/seal"]
)
def test_a_snapshot_that_is_killed_leaves_a_network_that_pays_and_nothing_gc_does_not_find(
    network: CopiedNetwork, step: str
) -> None:
    before = network.snapshots()
    with network.project.held("snapshot", "create", "kept") as run:
        assert run.until(step)
        run.kill()

    network.done("pay", "alice", "bob", "1000 sat")
    network.done("gc")

    assert network.snapshots() == before


def test_components_go_on_by_themselves_when_who_froze_them_is_killed(processes: CopiedNetwork) -> None:
    from cartridge.targets.process.client import Guardian

    (folder,) = (path.parent for path in (processes.project.folder / ".cartridge").glob("*/state.json"))
    guardian = Guardian(folder.name, processes.project.folder / "run", folder)
    guardian.freeze(["alice", "bob"], 0.5)

    with processes.paying() as stream:
        pass

    assert len(stream.paid) >= 3
    assert guardian.thaw() == frozenset()


@pytest.mark.parametrize("step", ["step-started apply", "step-ended start/bob", "step-started network/connect"])
def test_a_fork_that_is_killed_is_made_anew_and_the_first_one_is_as_it_was(processes: CopiedNetwork, step: str) -> None:
    before = processes.balances()
    with processes.project.held("fork", "one") as run:
        assert run.until(step)
        run.kill()

    processes.done("fork", "one")
    processes.done("gc")

    assert (processes.balances(), processes.balances("one")) == (before, before)
    processes.done("pay", "alice", "bob", "10 sat", "--stack", "one")


@pytest.mark.parametrize("step", ["step-started place", "step-ended start/bitcoind", "step-ended start/bob"])
def test_a_killed_start_from_a_snapshot_is_taken_up_by_the_next_up(processes: CopiedNetwork, step: str) -> None:
    written = processes.balances()
    processes.done("down", "--yes")
    with processes.project.held("up") as run:
        assert run.until(step)
        run.kill()

    processes.done("up")

    assert processes.balances() == written
    processes.done("pay", "alice", "carol", "1000 sat")


def test_what_is_corrupted_or_of_another_definition_is_refused_before_anything_changes(
    processes: CopiedNetwork,
) -> None:
    (name,) = (one["id"] for one in processes.answer("snapshot", "ls")["snapshots"])
    file = processes.project.folder / "kept.tar.gz"
    processes.done("snapshot", "export", name, str(file))
    processes.done("snapshot", "rm", name)
    damaged = processes.project.folder / "damaged.tar.gz"
    damaged.write_bytes(file.read_bytes()[:-2_000])

    refused = [processes.project.cartridge("snapshot", "import", str(damaged), "-o", "json")]
    processes.done("snapshot", "import", str(file))
    document = processes.project.folder / "stacks" / "net.yaml"
    text = document.read_text()
    document.write_text(text.replace("push: 50%", "push: 40%"))
    refused += [
        processes.project.cartridge(*verb, "-o", "json") for verb in (("restore", name, "--yes"), ("fork", "one"))
    ]
    document.write_text(text)
    data = processes.project.folder / ".cartridge" / "snapshots" / name / "data" / "alice" / "tls.cert"
    data.write_bytes(data.read_bytes() + b"\n")
    refused += [processes.project.cartridge("fork", "one", "--from", name, "-o", "json")]

    codes = [json.loads(one.stdout)["error"]["code"] for one in refused]

    assert codes == ["snapshot-corrupted", "snapshot-foreign", "snapshot-foreign", "snapshot-corrupted"]
    processes.done("pay", "alice", "bob", "10 sat")


def test_a_killed_fork_that_nobody_makes_anew_is_removed_by_gc(processes: CopiedNetwork) -> None:
    with processes.project.held("fork", "one") as run:
        assert run.until("step-ended start/bob")
        run.kill()
    (stack,) = (one["stack"] for one in processes.answer("ps")["stacks"] if one["stack"].startswith("one-"))

    found = [(one["kind"], one["stack"]) for one in processes.answer("gc")["orphans"]]

    assert ("fork", stack) in found
    assert leftovers(processes.project, stack) == []
    processes.done("pay", "alice", "bob", "10 sat")
    assert processes.answer("gc")["orphans"] == []
