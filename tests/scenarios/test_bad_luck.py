"""Bad luck, by a machine, a stranger or a finger, ends with clear words, the right status, and nothing lost."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cartridge import spawn
from tests.conformance.waiting import until
from tests.scenarios import shop, world
from tests.scenarios.held import Done, Held, Project
from tests.scenarios.shop import Stand

LIGHTNING = pytest.mark.lightning
DOCKER = [pytest.mark.lightning, pytest.mark.docker, pytest.mark.pulumi]
TARGETS = [pytest.param("process", marks=LIGHTNING), pytest.param("docker", marks=DOCKER)]
CLERK = Stand("clerk")


def assert_said(done: Done, status: int, code: str, *words: str) -> None:
    """The run ended with this status and error code, and said these words; nothing was a traceback."""
    assert (done.returncode, f"error[{code}]: " in done.stderr) == (status, True), done.stderr
    assert [word for word in words if word not in done.stderr] == [], done.stderr
    assert "Traceback" not in done.stderr


def assert_fine(done: Done) -> Done:
    """The run ended well."""
    assert done.returncode == 0, done.stderr
    return done


def assert_gone(project: Project, name: str = "shop") -> None:
    """`down` ends the stack and leaves nothing."""
    assert_fine(project.cartridge("down", "--yes"))
    assert world.leftovers(project, shop.identity(project, name)) == []


# A port that is a stranger's.


@contextmanager
def stranger() -> Iterator[int]:
    """Listen on a port of the loopback, as a program that was there first."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("target", TARGETS)
def test_a_fixed_port_that_a_stranger_has_is_refused_by_the_strangers_name(project: Project, target: str) -> None:
    stack = project.folder / "stacks" / "lightning-pair.yaml"
    me = Path("/proc/self/comm").read_text().strip()
    with stranger() as port:
        wanted = f"bitcoin-regtest@1\n    ports: {{bitcoind: {{rpc: {port}}}}}"
        stack.write_text(stack.read_text().replace("bitcoin-regtest@1", wanted))

        refused = project.cartridge("up", "--target", target)

    assert_said(
        refused,
        3,
        "port-taken",
        f"port {port}, wanted for `rpc` of `bitcoind`, is taken by `{me}` (process {os.getpid()})",
        "end that program, or leave the port out of the stack's `ports`",
    )
    assert_gone(project, "lightning-pair")


def test_a_fixed_port_that_is_free_again_is_taken(project: Project) -> None:
    stand = Stand("web", "exec $PYTHON -m http.server --bind 127.0.0.1 $PORT", "{probe: http, port: http}", port=True)
    with stranger() as port:
        shop.opened(project, stand, ports={"web": port})
        assert_said(project.cartridge("up"), 3, "port-taken", f"port {port}, wanted for `http` of `web`")

    up = assert_fine(project.cartridge("up"))

    assert f"http 127.0.0.1:{port}" in up.stdout
    assert_gone(project)


# A disk that is full.


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a file system of a few kilobytes; skip where that is not allowed."""
    folder.mkdir(exist_ok=True)
    mounted = spawn.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "cartridge-test", str(folder)])
    if mounted.status:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        spawn.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write into a file until nothing goes in any more."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return path


def test_a_store_on_a_full_disk_keeps_nothing_by_halves_and_goes_on_when_there_is_room(project: Project) -> None:
    with small_disk(project.folder / "disk", "512k") as disk:
        project.environment["CARTRIDGE_STORE"] = str(disk)
        shop.opened(project, CLERK, artifact=shop.archive(project.folder, "sh", "sleep"))
        filler = fill(disk)

        full = project.cartridge("up")
        assert_said(full, 3, "store-full", f"at `{disk}`", "or set `CARTRIDGE_STORE` to a larger disk")
        assert [path for path in (disk / "entries").rglob("*") if path.is_file()] == []
        filler.unlink()

        assert_fine(project.cartridge("up"))
        assert_gone(project)


def test_a_project_on_a_full_disk_says_so_and_goes_on_when_there_is_room(project: Project) -> None:
    shop.opened(project, CLERK)
    with small_disk(project.folder / ".cartridge", "128k") as disk:
        filler = fill(disk)

        full = project.cartridge("up")
        assert_said(full, 3, "disk-full", "no space is left to write", "make room, then run the same command again")
        assert world.processes(shop.identity(project), "clerk") == []
        filler.unlink()

        assert_fine(project.cartridge("up"))
        assert_gone(project)


@LIGHTNING
def test_a_daemon_that_finds_its_disk_full_is_named_with_what_it_says(project: Project) -> None:
    with small_disk(project.folder / ".cartridge", "4m"):
        full = project.cartridge("up")

        assert_said(full, 4, "component-failed", "`bitcoind` ended by itself with status 1", "Disk space is too low")
        assert_gone(project, "lightning-pair")


# Docker that is not there, or not ours.


@LIGHTNING
def test_without_docker_it_says_where_it_looked_and_what_else_there_is(project: Project) -> None:
    project.environment["DOCKER_HOST"] = f"unix://{project.folder}/none.sock"

    missing = project.cartridge("up", "--target", "docker")

    assert_said(
        missing,
        3,
        "docker-missing",
        f"no Docker Engine answers at `{project.folder}/none.sock`: it is not there",
        "install and start Docker Engine 20.10 or newer, or go on with `--target process`",
    )
    assert_gone(project, "lightning-pair")


@LIGHTNING
def test_a_docker_that_may_not_be_used_says_who_may(project: Project) -> None:
    place = f"{project.folder}/docker.sock"
    project.environment["DOCKER_HOST"] = f"unix://{place}"
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(place)
        engine.listen()
        Path(place).chmod(0)

        refused = project.mortal("up", "--target", "docker")

    assert_said(
        refused,
        3,
        "docker-permission",
        f"you may not use the Docker Engine at `{place}`",
        "add yourself to the group that owns the socket (`docker`) and log in again",
    )
    assert_gone(project, "lightning-pair")


# A program that is not what was pinned.


def test_a_flipped_byte_in_the_store_is_seen_and_mended_or_refused(project: Project) -> None:
    project.environment["CARTRIDGE_STORE"] = str(project.folder / "store")
    shop.opened(project, CLERK, artifact=shop.archive(project.folder, "sh", "sleep"))
    assert_fine(project.cartridge("up"))
    assert_fine(project.cartridge("down"))
    program = next((project.folder / "store" / "entries").rglob("sh"))

    flip(program)
    wrong = project.cartridge("verify")
    mended = project.cartridge("up")
    fine = project.cartridge("verify")

    assert (wrong.returncode, fine.returncode) == (1, 0), wrong.stdout
    assert re.search(r"artifact/shell .*damaged|artifact/shell .*other bytes|artifact/shell .*not", wrong.stdout)
    assert_fine(mended)
    assert "`shell`: the store's copy is damaged: `sh`" in mended.stderr, mended.stderr
    assert_gone(project)
    flip(next((project.folder / "store" / "entries").rglob("sh")))
    (project.folder / "shell.tar").unlink()
    assert_said(
        project.cartridge("up"),
        3,
        "artifact-digest-mismatch",
        "the store's copy is damaged: `sh`",
        f"release: `{project.folder}/shell.tar` is not there",
    )
    assert_gone(project)


def flip(program: Path) -> None:
    """Change one bit in the middle of a stored program."""
    raw = bytearray(program.read_bytes())
    raw[len(raw) // 2] ^= 1
    program.parent.chmod(0o755)
    program.chmod(0o755)
    program.write_bytes(raw)


# A lock that is out of step.


def edit(path: Path, old: str, new: str) -> None:
    """Replace text in a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_up_refuses_what_the_lock_does_not_pin_and_an_update_changes_that_entry_alone(project: Project) -> None:
    stand = Stand("clerk")
    made = shop.opened(project, stand)
    template = project.folder / "templates" / "note.j2"
    template.parent.mkdir()
    template.write_text("one\n")
    assert_fine(project.cartridge("lock", "--offline"))
    assert_fine(project.cartridge("up"))
    lock = project.folder / "cartridge.lock"
    before = lock.read_text()

    edit(made.cartridge, "[sh, python3]", "[sh, python3, cat]")
    template.write_text("two\n")
    refused = project.cartridge("up")
    checked = project.cartridge("lock", "--check", "--offline")

    assert_said(
        refused,
        2,
        "lock-drift",
        "`cartridge.lock` is out of step in 3 places",
        "`shell` is declared otherwise than when it was locked",
        "`cartridges/shop/cartridge.yaml` was changed since it was locked",
        "`templates/note.j2` was changed since it was locked",
        "run `cartridge lock --update shell --update cartridges/shop/cartridge.yaml --update templates/note.j2`",
    )
    assert (checked.returncode, lock.read_text()) == (2, before)
    assert "drifted  templates/note.j2" in checked.stdout

    assert_fine(project.cartridge("lock", "--offline", "--update", "templates/note.j2"))
    lines = [line for line in lock.read_text().splitlines() if line not in before.splitlines()]
    assert [line.split('"')[1] for line in lines] == ["templates/note.j2"]
    assert_fine(
        project.cartridge("lock", "--offline", "--update", "shell", "--update", "cartridges/shop/cartridge.yaml")
    )
    assert_fine(project.cartridge("lock", "--check", "--offline"))
    assert_fine(project.cartridge("up"))
    assert_gone(project)


# Daemons that die.


@pytest.mark.parametrize("target", [pytest.param("process"), pytest.param("docker", marks=DOCKER[1:])])
def test_a_component_that_ends_at_once_is_named_with_its_last_words_and_kept(project: Project, target: str) -> None:
    artifact = shop.archive(project.folder, "sh", "sleep")
    project.environment["CARTRIDGE_STORE"] = str(project.folder / "store") if target == "process" else ""
    shop.opened(
        project,
        CLERK,
        Stand("baker", "echo no flour; exit 3", "{probe: log, pattern: never}"),
        Stand("guest", needs=("baker",)),
        artifact=artifact,
    )

    died = project.cartridge("up", "--target", target)
    ps, logs = project.cartridge("ps"), project.cartridge("logs", "baker")

    assert_said(
        died,
        4,
        "component-failed",
        "`baker` ended by itself with status 3",
        "  | no flour",
        "`cartridge logs baker` has the rest; it was left as it is",
    )
    assert re.search(r"^baker +baker +failed", assert_fine(ps).stdout, re.M), ps.stdout
    assert "baker: exit status 3" in ps.stdout
    assert assert_fine(logs).stdout == "no flour\n"
    assert_gone(project)


@pytest.mark.parametrize("target", [pytest.param("process"), pytest.param("docker", marks=DOCKER[1:])])
def test_a_component_that_dies_while_another_is_awaited_ends_the_run(project: Project, target: str) -> None:
    artifact = shop.archive(project.folder, "sh", "sleep")
    shop.opened(project, CLERK, Stand("guest", ready="{probe: log, pattern: never}"), artifact=artifact)
    with project.held("up", "--target", target) as run:
        assert run.until("step-ended ready/clerk"), run.output()
        end(project, target, "clerk")

        status, seconds = run.rest()

    assert (status, "`clerk` ended by itself by SIGKILL" in run.output(), seconds < 3.0) == (4, True, True), (
        run.output()
    )
    assert_gone(project)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("victim", ["bitcoind", "bob"])
def test_a_daemon_that_dies_while_the_network_is_made_ends_the_run(project: Project, target: str, victim: str) -> None:
    with project.held("up", "--target", target) as run:
        assert run.until("step-started network/probe"), run.output()
        end(project, target, victim, "lightning-pair")

        status, seconds = run.rest()

    assert (status, f"`{victim}` ended by itself by SIGKILL" in run.output(), seconds < 3.0) == (4, True, True), (
        run.output()
    )
    ps = assert_fine(project.cartridge("ps")).stdout
    assert re.search(rf"^{victim} +\w+ +failed", ps, re.M), ps
    assert_gone(project, "lightning-pair")


def end(project: Project, target: str, component: str, name: str = "shop") -> None:
    """Kill a component at once."""
    stack = shop.identity(project, name)
    if target == "docker":
        world.kill_container(stack, component)
    else:
        world.kill(world.processes(stack, component))


@LIGHTNING
def test_an_lnd_that_refuses_its_configuration_is_named_with_the_line(project: Project) -> None:
    template = shop.own_template(project, "lnd.conf.j2")
    template.write_text(template.read_text() + "\nnot-a-flag=1\n")
    assert_fine(project.cartridge("lock", "--offline"))

    died = project.cartridge("up")

    assert_said(died, 4, "component-failed", "ended by itself with status 1", "unknown option: not-a-flag")
    assert_gone(project, "lightning-pair")


# Two at once.


def test_a_second_up_and_a_down_wait_and_say_for_whom(project: Project) -> None:
    shop.opened(project, CLERK)
    with project.held("up") as first:
        assert first.until("step-started apply"), first.output()
        with project.held("up") as second, project.held("down") as third:
            for waiting in (second, third):
                waiting.begin()
                until(lambda: "waiting for" in waiting.output(), "the other run waits")  # noqa: B023
                who = f"waiting for `cartridge up` (process {first.process.pid}), which is at work on this stack"
                assert who in waiting.output()
            third.kill()

            assert first.go_on() == 0
            assert second.process.wait(20) == 0
            assert "nothing changed" in second.output()
    with project.held("up", "--refresh") as first:
        assert first.until("step-started apply"), first.output()
        with project.held("down") as second:
            second.begin()
            until(lambda: "waiting for `cartridge up`" in second.output(), "the other run waits")
            assert first.go_on() == 0
            assert second.process.wait(20) == 0
    assert world.leftovers(project, shop.identity(project)) == []


# Ctrl-C.

ORDERLY = "interrupted: ending in order; Ctrl-C again ends at once"
STEPS = ("load", "artifacts", "lease", "place", "render", "apply", "seed/clerk", "start/clerk", "ready/clerk")


def edges(*steps: str) -> list[str]:
    """Return the start and the end of each step."""
    return [f"step-{edge} {step}" for step in steps for edge in ("started", "ended")]


def interrupt(run: Held, moment: str) -> None:
    """Press Ctrl-C when the run has come to a moment, and see that it ends in order and says so."""
    assert run.until(moment), run.output()
    run.process.send_signal(signal.SIGINT)

    status, seconds = run.rest()

    assert (status, ORDERLY in run.output(), seconds < 10) == (130, True, True), run.output()
    assert re.search(r"^interrupted[;,] ", run.output(), re.M), run.output()
    assert "Traceback" not in run.output()


def test_ctrl_c_at_any_step_of_up_ends_in_order_and_the_next_command_mends(project: Project) -> None:
    shop.opened(project, CLERK)
    for number, moment in enumerate([*(f"step-started {step}" for step in STEPS), "step-ended apply"]):
        with project.held("up") as run:
            interrupt(run, moment)

        if number % 2:
            assert_fine(project.cartridge("up"))
        assert_gone(project)


@LIGHTNING
@pytest.mark.parametrize(
    "moment",
    ["step-started network/fund", "step-ended start/alice", "step-ended network/open", "step-ended network/probe"],
)
def test_ctrl_c_while_the_network_is_made_is_mended_by_the_next_up(project: Project, moment: str) -> None:
    with project.held("up") as run:
        interrupt(run, moment)

    assert_fine(project.cartridge("up"))
    assert_fine(project.cartridge("pay", "alice", "bob", "1000 sat"))
    assert_gone(project, "lightning-pair")


@pytest.mark.docker
@pytest.mark.pulumi
def test_ctrl_c_in_docker_is_mended_by_the_next_command(project: Project) -> None:
    shop.opened(project, CLERK, artifact=shop.archive(project.folder, "sh", "sleep"))
    for moment in ("step-started make/container/clerk", "step-started pulumi/up"):
        with project.held("up", "--target", "docker") as run:
            interrupt(run, moment)
        assert_gone(project)
    assert_fine(project.cartridge("up", "--target", "docker"))

    with project.held("down", "--yes") as run:
        interrupt(run, "step-started pulumi/destroy")

    assert_gone(project)


def test_ctrl_c_during_down_ends_what_was_begun(project: Project) -> None:
    shop.opened(project, CLERK)
    for moment in edges("down"):
        assert_fine(project.cartridge("up"))

        with project.held("down", "--yes") as run:
            interrupt(run, moment)

        assert "everything was down already" in run.output()
        assert world.leftovers(project, shop.identity(project)) == []


def test_a_second_ctrl_c_ends_at_once(project: Project) -> None:
    shop.opened(project, Stand("mule", "trap '' TERM; echo open; while :; do sleep 1; done", grace="4 s"))
    assert_fine(project.cartridge("up"))
    with project.held("down", "--yes") as run:
        assert run.until("step-started down"), run.output()
        run.begin()
        run.process.send_signal(signal.SIGINT)
        until(lambda: ORDERLY in run.output(), "the first Ctrl-C was heard")

        run.process.send_signal(signal.SIGINT)

        assert run.process.wait(2) == 130, run.output()
        assert run.output().rstrip().endswith("interrupted"), run.output()
    assert_gone(project)


# Leases.


def test_a_stack_ends_by_itself_when_its_lease_runs_out(project: Project) -> None:
    shop.opened(project, CLERK)

    assert_fine(project.cartridge("up", "--ttl", "4 s"))

    until(lambda: world.leftovers(project, shop.identity(project)) == [], "nothing is left")
    assert assert_fine(project.cartridge("ps")).stdout.startswith("nothing is up here")


@pytest.mark.docker
@pytest.mark.pulumi
def test_gc_removes_what_has_expired_once_and_never_what_lives(project: Project) -> None:
    shop.opened(project, CLERK, artifact=shop.archive(project.folder, "sh", "sleep"))
    project.environment["CARTRIDGE_ISOLATION"] = "lives"
    assert_fine(project.cartridge("up", "--isolated"))
    expired, alive = shop.identity(project), shop.identity(project, isolation="lives")
    assert_fine(project.cartridge("up", "--target", "docker", "--ttl", "1 s"))
    before = world.processes(alive)
    until(lambda: found(project.cartridge("gc", "--dry-run", "-o", "json"), expired), "the lease has run out")
    held = world.leftovers(project, expired)

    dry = project.cartridge("gc", "--dry-run", "-o", "json")
    after_dry = world.leftovers(project, expired)
    first, second = project.cartridge("gc", "-o", "json"), project.cartridge("gc", "-o", "json")

    assert {one["kind"] for one in found(dry, expired)} == {"container", "volume", "network", "lease", "folder"}
    assert after_dry == held != []
    assert {one["removed"] for one in found(first, expired)} == {True}
    assert (found(second, expired), world.leftovers(project, expired)) == ([], [])
    assert [found(run, alive) for run in (dry, first, second)] == [[], [], []]
    assert world.processes(alive) == before != []
    assert_fine(project.cartridge("down", "--isolated"))


def found(done: Done, stack: str) -> list[dict[str, object]]:
    """Return the orphans of a stack in the answer of `gc`."""
    return [one for one in json.loads(assert_fine(done).stdout)["orphans"] if one["stack"] == stack]


# Stacks side by side.

JOBS = ("GITHUB_RUN_ID", "GITHUB_JOB", "CI_JOB_ID", "BUILD_TAG", "BUILDKITE_JOB_ID", "CIRCLE_WORKFLOW_JOB_ID")


def test_isolated_runs_of_one_project_live_side_by_side(project: Project) -> None:
    shop.opened(project, CLERK)
    one, two = (shop.identity(project, isolation=job) for job in "ab")
    for job in "ab":
        project.environment["CARTRIDGE_ISOLATION"] = job
        up = assert_fine(project.cartridge("up", "--isolated"))
        assert f"{shop.identity(project, isolation=job)} is ready" in up.stdout
    project.environment["CARTRIDGE_ISOLATION"] = "a"
    before = world.processes(two)

    assert_fine(project.cartridge("down", "--isolated"))

    assert (world.leftovers(project, one), world.processes(two)) == ([], before)
    assert [line for line in assert_fine(project.cartridge("ps")).stdout.splitlines() if two in line]
    assert_fine(project.cartridge("down", "--stack", two))
    assert world.leftovers(project, two) == []


def test_outside_a_ci_job_an_isolated_stack_is_the_branchs(project: Project) -> None:
    shop.opened(project, CLERK)
    project.environment.update(dict.fromkeys(JOBS, ""))
    (project.folder / ".git").mkdir()
    (project.folder / ".git" / "HEAD").write_text("ref: refs/heads/fix/oven\n")

    up = assert_fine(project.cartridge("up", "--isolated"))

    stack = shop.identity(project, isolation="fix/oven")
    assert f"{stack} is ready" in up.stdout
    assert_fine(project.cartridge("down", "--isolated"))
    assert world.leftovers(project, stack) == []


# Stacks without a network.


def test_a_stack_needs_no_lightning_and_a_one_shot_is_done(project: Project) -> None:
    serve = "exec $PYTHON -m http.server --bind 127.0.0.1 $PORT"
    shop.opened(
        project,
        Stand("job", "echo done; exit 0", "{probe: exit}"),
        Stand("web", serve, "{probe: http, port: http}", needs=("job",), port=True),
        Stand("till", serve, "{probe: tcp, port: http}", port=True),
        Stand("clerk", needs=("web", "till")),
    )

    up = assert_fine(project.cartridge("up"))

    states = dict(re.findall(r"^(job|web|till|clerk) +\w+ +(\w+)", up.stdout, re.M))
    assert states == {"job": "done", "web": "ready", "till": "ready", "clerk": "ready"}
    assert "nothing changed" in assert_fine(project.cartridge("up")).stdout
    assert_gone(project)


@pytest.mark.docker
@pytest.mark.pulumi
def test_a_stack_in_docker_needs_no_lightning(project: Project) -> None:
    artifact = shop.archive(project.folder, "sh", "sleep")
    shop.opened(project, Stand("job", "echo done", "{probe: exit}"), Stand("clerk", needs=("job",)), artifact=artifact)

    up = assert_fine(project.cartridge("up", "--target", "docker"))

    assert dict(re.findall(r"^(job|clerk) +\w+ +(\w+)", up.stdout, re.M)) == {"job": "done", "clerk": "ready"}
    assert "nothing changed" in assert_fine(project.cartridge("up", "--target", "docker")).stdout
    assert_gone(project)
