"""Tests of a user's: each pytest session is a process of its own, on real nodes; afterwards nothing of it is left."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from cartridge import spawn
from cartridge.clock import SystemClock
from cartridge.probes import wait
from cartridge.probes.wait import Patience
from cartridge.targets.process import marks

pytestmark = [pytest.mark.lightning, pytest.mark.slow]

ROOT = Path(__file__).parents[3]
CARTRIDGE = Path(sys.executable).with_name("cartridge")

PAYING = """
import pytest

@pytest.mark.parametrize("turn", range(2))
def test_each_starts_from_the_same(lightning, turn, request):
    before = lightning.bob.balance()
    paid = lightning.alice.pay(lightning.bob, 1000)
    assert (paid.amount_msat, paid.hops, lightning.bob.balance().local) == (1_000_000, 1, before.local + 1000)
    with open(request.config.rootpath / "seen", "a") as seen:
        print(before.local, file=seen)
"""

EVERYTHING = """
import json, pathlib, pytest
from cartridge.errors import CartridgeError

def test_what_a_node_can_do(lightning, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    alice, bob = lightning.nodes.values()
    assert (alice, [node.name for node in lightning]) == (lightning["alice"], ["alice", "bob"])
    invoice = bob.invoice("5 sat", "a memo")
    assert alice.pay(invoice).payment_hash == invoice.payment_hash
    assert alice.keysend(bob, "7 sat").amount_msat == 7_000
    assert [channel.peer for channel in alice.channels()] == [bob.pubkey]
    assert json.loads(alice.cli("getinfo"))["alias"] == alice.info().alias == "alice"
    assert lightning.mine(2) == lightning.chain.height == int(lightning.chain.cli("getblockcount"))
    coins = bob.balance().onchain
    lightning.fund(bob, "0.1 btc")
    lightning.chain.pay(bob.address(), 5_000)
    assert bob.balance().onchain == coins + 10_005_000
    assert b"lncli version" in alice.exec("lncli", "--version").stdout
    found = lightning.connect("alice")
    assert pathlib.Path(found.files["tls_cert"]).is_file() and found.environment["LND_GRPC"]

def test_a_host_is_checked(lightning):
    alice = lightning.alice
    assert alice.host.process.get(pid=int(alice.identity)).comm == "lnd"
    assert alice.host.socket(f"tcp://{lightning.connect('alice').environment['LND_GRPC']}").is_listening

def test_a_node_dies_and_comes_back(lightning):
    lightning.bob.kill()
    with pytest.raises(CartridgeError):
        lightning.alice.pay(lightning.bob, 10)
    lightning.bob.start()
    lightning.alice.pay(lightning.bob, 10)
    lightning.bob.stop()
    lightning.bob.start()
    lightning.bob.pay(lightning.alice, 10)
"""

FAILING = """
def test_too_much(lightning):
    lightning.alice.pay(lightning.bob, "2 btc")

def test_nobody(lightning_module):
    lightning_module.carol

def test_typo(lightning_module):
    lightning_module["alcie"]
"""


@dataclass(frozen=True)
class Project:
    """A user's project with tests."""

    root: Path

    def pytest(self, source: str, *arguments: str) -> spawn.Finished:
        """Run a session on one test file and return what it said."""
        (self.root / "test_it.py").write_text(source)
        return spawn.run([*COMMAND, *arguments], cwd=self.root, timeout=280)

    def seen(self) -> list[str]:
        """Return what the tests wrote down, and forget it."""
        path = self.root / "seen"
        lines = path.read_text().splitlines()
        path.unlink()
        return lines

    def cartridge(self, *arguments: str) -> str:
        """Run the program and return what it said."""
        return spawn.run([str(CARTRIDGE), *arguments], cwd=self.root, timeout=60, check=True).stdout

    def left(self) -> dict[str, list[str]]:
        """Return what is left of networks: folders and locks, leases, and guardians."""
        state = self.root / ".cartridge"
        folders = [one.name for one in state.iterdir() if one.name not in KEPT]
        leases = Path.home() / ".local" / "state" / "cartridge" / "leases"
        mine = [path.stem for path in leases.glob("*.json") if str(self.root) in path.read_text()]
        guardians = [one.stack for one in marks.guardians() if one.stack in {*mine, *folders}]
        return {"folders": folders, "leases": mine, "guardians": guardians}


KEPT = {"journal", "snapshots", "pulumi.key", "pulumi.salt"}
"""What a project keeps between stacks."""
COMMAND = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no")
NOTHING: Mapping[str, list[str]] = {"folders": [], "leases": [], "guardians": []}
TTL = 15
"""Seconds; a network is leased from the start of its making, and renewed only once it is made."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with the shipped pair; its snapshot is made by the first test that needs one."""
    root = tmp_path_factory.mktemp("project")
    (root / "stacks").mkdir()
    shutil.copy(ROOT / "stacks" / "lightning-pair.yaml", root / "stacks")
    yield Project(root)
    spawn.run([str(CARTRIDGE), "down", "--all", "--yes"], cwd=root, timeout=120)


def test_tests_do_not_see_each_others_payments_and_leave_nothing(project: Project) -> None:
    done = project.pytest(PAYING)

    assert "2 passed" in done.stdout, done.stdout
    first, second = project.seen()
    assert first == second
    assert project.left() == NOTHING


def test_a_test_has_all_it_may_ask_of_nodes_and_chain(project: Project) -> None:
    done = project.pytest(EVERYTHING)

    assert "3 passed" in done.stdout, done.stdout
    assert project.left() == NOTHING


@pytest.mark.docker
@pytest.mark.pulumi
def test_networks_of_containers_are_the_same_and_leave_nothing(project: Project) -> None:
    done = project.pytest(EVERYTHING, "--cartridge-target", "docker", "-k", "not host")

    assert "2 passed" in done.stdout, done.stdout
    assert project.left() == NOTHING


def test_a_failure_shows_reason_logs_and_journal(project: Project) -> None:
    done = project.pytest(FAILING)

    assert "3 failed" in done.stdout, done.stdout
    for words in (
        "cartridge explain payment-failed",
        "log of alice in pytest-",
        "log of bitcoind in pytest-",
        "pay failed",
        "AttributeError",
        "no component `carol`; it has `bitcoind`, `alice`, `bob`",
        "did you mean `alice`?",
    ):
        assert words in done.stdout, words
    assert "operations/pay.py" not in done.stdout  # a failure points at the line of the test
    assert project.left() == NOTHING


def test_workers_share_a_base_and_no_network(project: Project) -> None:
    shutil.rmtree(project.root / ".cartridge")

    done = project.pytest(PAYING, "--numprocesses", "2")

    assert "2 passed" in done.stdout, done.stdout
    first, second = project.seen()
    assert first == second
    assert len(list((project.root / ".cartridge" / "snapshots").glob("[!.]*"))) == 1
    assert project.left() == NOTHING


def test_the_network_of_a_failed_test_can_be_kept(project: Project) -> None:
    done = project.pytest(FAILING, "--cartridge-keep", "-k", "too_much")
    name = re.findall(r"cartridge down --stack (pytest-\w+)", done.stdout)[0]

    (held,) = project.root.glob(f".cartridge/{name}-*/secrets.json")
    secrets = json.loads(held.read_text()).values()
    kept = project.cartridge("ps", "--stack", name)
    project.cartridge("pay", "alice", "bob", "5 sat", "--stack", name)
    project.cartridge("down", "--stack", name, "--yes")

    assert ("until" in kept, kept.count("ready")) == (False, 3)
    assert not any(secret in done.stdout for secret in secrets)
    assert project.left() == NOTHING


def test_a_session_that_is_killed_leaves_nothing_once_its_leases_are_over(project: Project) -> None:
    (project.root / "test_it.py").write_text(
        "import threading\ndef test_long(lightning): threading.Event().wait(100)\n"
    )
    with spawn.start([*COMMAND, "-o", f"cartridge_ttl={TTL} s"], cwd=project.root) as session:
        try:
            until(lambda: _is_renewed(project), "the network is up, and its lease was renewed")
        finally:
            session.kill()

    until(lambda: project.left()["guardians"] == [], "the guardian ended")
    project.cartridge("gc")

    assert project.left() == NOTHING


def test_ctrl_c_ends_what_is_lent_and_what_is_being_made(project: Project) -> None:
    (project.root / "test_it.py").write_text(
        "import os, signal\ndef test_one(lightning): os.kill(os.getpid(), signal.SIGINT)\n"
        "def test_two(lightning): pass\ndef test_three(lightning): pass\n"
    )

    done = spawn.run(COMMAND, cwd=project.root, timeout=120)

    assert done.status == pytest.ExitCode.INTERRUPTED, done.stdout
    assert project.left() == NOTHING


def test_ctrl_c_ends_the_network_that_is_brought_up_for_the_first_snapshot(project: Project) -> None:
    shutil.rmtree(project.root / ".cartridge", ignore_errors=True)
    (project.root / "test_it.py").write_text("def test_one(lightning): pass\n")
    with spawn.start(COMMAND, cwd=project.root) as session:
        try:
            until(lambda: any(project.root.glob(".cartridge/*/components/alice")), "alice is being made")
            session.send_signal(signal.SIGINT)
            status = session.wait(60)
        finally:
            session.kill()

    assert status == pytest.ExitCode.INTERRUPTED
    assert project.left() == NOTHING


def until(condition: Callable[[], bool], what: str) -> None:
    """Return when `condition()` is true; fail after a minute and a half."""
    patience = Patience.of(SystemClock(), 90.0)
    wait.until(condition, what, patience)


def _is_renewed(project: Project) -> bool:
    """Tell whether a network will have been up for longer than its first lease."""
    found = re.search(r"since \S+ (\d+):(\d+):(\d+) UTC, until \S+ (\d+):(\d+):(\d+)", project.cartridge("ps"))
    if found is None or "alice     lnd       ready" not in project.cartridge("ps"):
        return False
    since, end = (int(h) * 3600 + int(m) * 60 + int(s) for h, m, s in (found.groups()[:3], found.groups()[3:]))
    return (end - since) % 86_400 > TTL + 1
