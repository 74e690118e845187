"""kill -9 of anybody at any named step of `up` and `down`, on both targets: the next command mends the world.

The moments are the journal's own steps; `test_every_step_is_among_the_moments` fails when a new one is not here.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import dataclass

import pytest

from cartridge import spawn
from tests.scenarios import world
from tests.scenarios.held import Project

NETWORK = (
    *(f"network/{step}" for step in ("premine", "fund", "connect", "coins", "open", "confirm", "gossip", "probe")),
    *("snapshot", "snapshot/copy", "snapshot/seal"),
)
COMMON = ("load", "artifacts", "lease", "place", "render", "apply", "start/bitcoind", "ready/bitcoind", "start/alice")
UP = {
    "process": (*COMMON, "seed/bitcoind", "seed/alice", "ready/alice", *NETWORK),
    "docker": (
        *COMMON,
        "make/network",
        "make/volume/alice",
        "make/volume/bitcoind",
        "pulumi/up",
        "make/container/bitcoind",
        "make/container/alice",
        "ready/alice",
        *NETWORK,
    ),
}
DOWN = {
    "process": ("down",),
    "docker": ("down", "pulumi/destroy", "remove/component/alice", "remove/volume/alice", "remove/network/default"),
}
BACK_TO_BACK = (
    ("load", "artifacts"),
    ("lease", "place"),
    *itertools.pairwise(NETWORK[2:8]),
    ("snapshot/copy", "snapshot/seal"),
)
"""Steps that begin as another ends, with nothing between: it is killed at one of the two moments."""
ONCE_MADE = ("image/bitcoind", "image/lnd")
"""Steps that only a first run on a machine has."""


def moments(steps: tuple[str, ...]) -> list[str]:
    """Return the start and the end of each step."""
    return [f"step-{edge} {step}" for step in steps for edge in ("started", "ended")]


def stack_of(project: Project) -> str:
    """Return the id of the pair in this project, as the design has it: name and place."""
    place = f"{project.folder.resolve()}\0"
    return f"lightning-pair-{hashlib.sha256(place.encode()).hexdigest()[:6]}"


@dataclass(frozen=True)
class Case:
    """A moment of `up`, what the user types after the kill, and the moment of the `down` after it, if it is killed."""

    target: str
    moment: str
    recovery: str
    ending: str = ""

    def __str__(self) -> str:
        recovery = f"{self.recovery}-{self.ending}" if self.ending else self.recovery
        return f"{self.target}-{self.moment}-then-{recovery}".replace("step-", "").replace(" ", "-")


def cases(target: str) -> list[Case]:
    """Return each moment of `up` once, recovered from by `up` and `down` in turn, and each of `down` after an `up`."""
    same = {f"step-ended {before}" for before, _ in BACK_TO_BACK}
    different = [moment for moment in moments(UP[target]) if moment not in same]
    endings = itertools.chain(moments(DOWN[target]), itertools.repeat(""))
    return [
        *(Case(target, moment, "up", ending) for moment, ending in zip(different[::2], endings, strict=False)),
        *(Case(target, moment, "down") for moment in different[1::2]),
    ]


TARGETS = [
    pytest.param("process", marks=pytest.mark.lightning),
    pytest.param("docker", marks=[pytest.mark.lightning, pytest.mark.docker, pytest.mark.pulumi]),
]
EVERY = [
    pytest.param(
        case,
        id=str(case),
        marks=[pytest.mark.lightning, *([pytest.mark.docker, pytest.mark.pulumi] if target == "docker" else [])],
    )
    for target in UP
    for case in cases(target)
]


def assert_mended(project: Project, target: str, recovery: str, ending: str = "") -> None:
    """Type the recovery and see that the world is as it says; then end everything and see that nothing is left.

    The first `down` is killed at the moment `ending`, if one is given.
    """
    if recovery == "up":
        again = project.cartridge("up", "--target", target)
        assert again.returncode == 0, again.stderr
        paid = project.cartridge("pay", "bob", "alice", "1000 sat")
        assert paid.returncode == 0, paid.stderr
    if ending:
        with project.held("down", "--yes") as run:
            assert run.until(ending), run.output()

            run.kill()
    ended = project.cartridge("down", "--yes")
    assert ended.returncode == 0, ended.stderr
    assert world.leftovers(project, stack_of(project)) == []
    project.is_empty = True


@pytest.mark.slow
@pytest.mark.parametrize("case", EVERY)
def test_a_killed_up_and_a_killed_down_are_mended_by_the_next_command(project: Project, case: Case) -> None:
    """kill -9 of `cartridge up` itself, and of the `down` after it: `up` or `down` mends it, `down` again ends it."""
    with project.held("up", "--target", case.target) as run:
        assert run.until(case.moment), run.output()

        run.kill()

    assert_mended(project, case.target, case.recovery, case.ending)


@pytest.mark.slow
@pytest.mark.lightning
@pytest.mark.docker
@pytest.mark.pulumi
def test_a_killed_up_is_mended_where_containers_run_that_wait_for_one_that_does_not(project: Project) -> None:
    """Containers of nodes start before bitcoind is ready, with their programs held."""
    with project.held("up", "--target", "docker") as run:
        assert run.until("step-ended start/alice"), run.output()

        run.kill()
    spawn.run(["docker", "kill", f"cartridge-{stack_of(project)}-bitcoind"])  # refused where it had not begun to run

    assert_mended(project, "docker", "up")


@pytest.mark.slow
@pytest.mark.lightning
def test_a_killed_reorg_leaves_a_shorter_chain_that_the_next_up_makes_longer(project: Project) -> None:
    """kill -9 of `cartridge reorg` between its halves."""
    assert project.cartridge("up").returncode == 0
    before = json.loads(project.cartridge("mine", "2", "-o", "json").stdout)["height"]
    with project.held("reorg", "2") as run:
        assert run.until("step-ended reorg/undo"), run.output()

        run.kill()

    again = project.cartridge("up")
    assert again.returncode == 0, again.stderr
    after = json.loads(project.cartridge("mine", "1", "-o", "json").stdout)["height"]
    assert after == before + 2
    assert project.cartridge("up", "-o", "json").stdout.count('"changed": false') == 1
    assert_mended(project, "process", "up")


@pytest.mark.slow
@pytest.mark.lightning
@pytest.mark.parametrize(
    "moment",
    moments(("place", "apply", "start/bitcoind", "network/fund", "start/alice", "network/open", "network/probe")),
)
def test_a_killed_guardian_takes_its_daemons_along_and_the_next_up_goes_on(project: Project, moment: str) -> None:
    """kill -9 of the guardian and its watcher; the run says what happened and ends."""
    with project.held("up") as run:
        assert run.until(moment), run.output()

        world.kill(world.guardians(stack_of(project)))

        assert run.go_on() in {3, 4, 5, 0}, run.output()
    assert world.processes(stack_of(project)) == []
    assert_mended(project, "process", "up")


@pytest.mark.slow
@pytest.mark.lightning
@pytest.mark.parametrize("victim", ["bitcoind", "alice"])
@pytest.mark.parametrize(
    "moment", moments(("start/alice", "ready/alice", "network/connect", "network/open", "network/probe"))
)
def test_a_killed_daemon_is_named_and_the_next_up_starts_it_again(project: Project, victim: str, moment: str) -> None:
    """kill -9 of a daemon under the guardian."""
    with project.held("up", "--wait-timeout", "20 s") as run:
        assert run.until(moment), run.output()

        world.kill(world.processes(stack_of(project), victim))

        status, said = run.go_on(), run.output()
    assert status in {0, 4, 5}, said
    assert "Traceback" not in said
    assert_mended(project, "process", "up")


@pytest.mark.slow
@pytest.mark.lightning
@pytest.mark.docker
@pytest.mark.pulumi
@pytest.mark.parametrize(
    "moment", ["step-ended make/container/bitcoind", "step-ended network/fund", "step-ended start/alice"]
)
def test_a_killed_pulumi_is_mended_by_the_next_command(project: Project, moment: str) -> None:
    """kill -9 of the Pulumi CLI in the middle of an operation."""
    with project.held("up", "--target", "docker") as run:
        assert run.until(moment), run.output()

        world.kill(world.children(run.process.pid, "pulumi"))

        assert run.go_on() in {0, 4, 5}, run.output()
    assert_mended(project, "docker", "up")


@pytest.mark.slow
@pytest.mark.lightning
@pytest.mark.docker
@pytest.mark.pulumi
@pytest.mark.parametrize("victim", ["bitcoind", "alice"])
def test_a_killed_container_is_mended_by_the_next_up(project: Project, victim: str) -> None:
    """kill -9 of what runs in a container while the network is being opened."""
    with project.held("up", "--target", "docker", "--wait-timeout", "20 s") as run:
        assert run.until("step-started network/open"), run.output()

        world.kill_container(stack_of(project), victim)

        assert run.go_on() in {0, 4, 5}, run.output()
    assert_mended(project, "docker", "up")


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_every_step_is_among_the_moments(project: Project, target: str) -> None:
    """A step that is added must be killed at, too; what bob does is what alice does."""
    passed: list[str] = []
    for arguments in (("up", "--target", target), ("down", "--yes")):
        with project.held(*arguments) as run:
            passed += run.moments()
            assert run.process.wait(60) == 0, run.output()

    assert {case.ending for case in cases(target)} >= set(moments(DOWN[target]))
    for before, after in BACK_TO_BACK:
        assert passed[passed.index(f"step-ended {before}") + 1] == f"step-started {after}"
    seen = {moment.partition(" ")[2] for moment in passed}
    known = {*UP[target], *DOWN[target], *ONCE_MADE}
    assert {step.replace("bob", "alice") for step in seen} - known - _as_alice(known) == set()


def _as_alice(known: set[str]) -> set[str]:
    """Return the steps that other components have as alice has them."""
    return {step.replace("alice", "bitcoind") for step in known}
