"""The guardian: one a stack, small, asleep when nothing happens, deaf to rubbish, gone when its lease is."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from cartridge.errors import ApplyError, MissingError
from cartridge.targets.process import wire
from cartridge.targets.process.client import Guardian, Hello
from tests.conformance.waiting import until
from tests.integration.process.conftest import STAY, Stack, is_alive, wait_dead

MEBIBYTE = 1 << 10
"""In the unit of /proc/<pid>/status, KiB."""


def resident(pid: int) -> int:
    """Return the resident memory of a process in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def wakeups(pid: int) -> tuple[int, ...]:
    """Return how often a process was switched in, by its own will and not, and the CPU ticks it used."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    switches = [int(line.split()[1]) for line in lines if "ctxt_switches" in line]
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (*switches, *map(int, ticks))


def talk(stack: Stack, *lines: bytes) -> list[dict[str, object]]:
    """Send raw lines on one connection and return the answers."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(stack.guardian.runtime / wire.SOCKET))
        with connection.makefile("rwb") as file:
            answers = []
            for line in lines:
                file.write(line + b"\n")
                file.flush()
                answers.append(json.loads(file.readline()))
            return answers


def test_it_is_small_and_sleeps_without_waking_up(stack: Stack) -> None:
    stack.up(stack.wanted("alice"), stack.wanted("bob"), ttl=3_600_000)
    hello = stack.hello()

    def is_at_rest() -> bool:
        seen = wakeups(hello.pid)
        stack.clock.wait(0.2)
        return seen == wakeups(hello.pid)

    until(is_at_rest, "it has seen our last connection off")
    before = [wakeups(pid) for pid in (hello.pid, hello.watcher)]

    stack.clock.wait(1.0)  # the measurement itself: a second in which nothing happens

    assert [wakeups(pid) for pid in (hello.pid, hello.watcher)] == before
    assert resident(hello.pid) < 20 * MEBIBYTE
    assert resident(hello.pid) + resident(hello.watcher) < 40 * MEBIBYTE


def test_it_has_a_session_of_its_own_and_nothing_of_ours_open(stack: Stack) -> None:
    stack.up(stack.wanted("alice"))
    pid = stack.hello().pid

    links = {os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")}

    assert os.getsid(pid) != os.getsid(0)
    assert os.getsid(stack.pid("alice")) != os.getsid(pid)
    assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
    files = {link for link in links if link.startswith("/") and not link.startswith("/dev/null")}
    assert files == {
        str(stack.layout.log("alice")),
        str(stack.folder / wire.CRASH),
        str(stack.guardian.runtime / wire.LOCK),
    }


def test_what_it_starts_gets_exactly_the_environment_given_and_its_marks(stack: Stack) -> None:
    stack.up(stack.wanted("alice", environment={"A": "b"}))

    raw = Path(f"/proc/{stack.pid('alice')}/environ").read_bytes()
    variables = dict(entry.split(b"=", 1) for entry in raw.split(b"\0") if entry)

    variables.pop(b"PWD", None)  # the shell's own
    variables.pop(b"_", None)
    assert variables == {b"A": b"b", b"CARTRIDGE_STACK": stack.name.encode(), b"CARTRIDGE_COMPONENT": b"alice"}


def test_a_secret_reaches_the_process_and_no_file(stack: Stack) -> None:
    secret = stack.root / "secret"
    secret.write_text("hush-hush\n")
    alice = stack.wanted("alice", f'echo "${{#S}}"; {STAY}', environment={"S": f"secret:file:{secret}"})
    stack.up(alice)
    until(lambda: stack.log("alice"), "it has spoken")

    said = [path for path in stack.folder.rglob("*") if path.is_file() and b"hush-hush" in path.read_bytes()]

    assert stack.log("alice") == ["9"]
    assert said == []


def test_a_secret_that_is_not_there_stops_the_start_and_is_named(stack: Stack) -> None:
    with pytest.raises(MissingError) as missing:
        stack.up(stack.wanted("alice", environment={"S": "secret:env:NO_SUCH_VARIABLE"}))

    assert (missing.value.code, "NO_SUCH_VARIABLE" in missing.value.brief) == ("secret-missing", True)


def test_many_clients_at_once_get_one_guardian(stack: Stack) -> None:
    hellos: list[Hello | None] = []

    def begin() -> None:
        guardian = Guardian(stack.name, stack.settings.runtime, stack.folder)
        guardian.ensure(0, [stack.folder])
        hellos.append(guardian.hello())

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(hellos) == 8
    assert len(set(hellos)) == 1


def test_clients_that_start_a_component_at_once_start_one_process(stack: Stack) -> None:
    stack.up(stack.wanted("alice"))
    stack.engine.driver().stop("alice")
    record = stack.layout.record("alice")
    assert record is not None
    definition = stack.layout.definition(record)
    answers: list[tuple[int, bool]] = []

    def start() -> None:
        look, was_running = stack.guardian.start(definition, {})
        answers.append((look.pid, was_running))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({pid for pid, _ in answers}) == 1
    assert sorted(was_running for _, was_running in answers) == [False] + [True] * 7


def test_rubbish_is_answered_with_an_error_and_does_no_harm(stack: Stack) -> None:
    stack.up(stack.wanted("alice"))

    answers = talk(
        stack,
        b"\xff\x00",
        b"[]",
        b"{}",
        b'{"do": "explode"}',
        b'{"do": "start"}',
        b'{"do": "end", "x": 1}',
        b'{"do": 7}',
    )

    assert [answer["error"]["code"] for answer in answers] == ["guardian-request"] * 7  # type: ignore[index]
    assert stack.states() == {"alice": "running"}


def test_an_endless_line_ends_the_connection_only(stack: Stack) -> None:
    stack.up(stack.wanted("alice"))

    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(stack.guardian.runtime / wire.SOCKET))
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            connection.sendall(b"x" * (64 << 20))

    assert stack.states() == {"alice": "running"}


def test_a_client_that_never_reads_holds_nobody_up(stack: Stack) -> None:
    stack.up(stack.wanted("alice"))
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(str(stack.guardian.runtime / wire.SOCKET))
        deaf.sendall(b'{"do": "subscribe"}\n' + b'{"do": "status"}\n' * 3000)

        stack.engine.driver().stop("alice")
        stack.engine.driver().start("alice")

        assert stack.states() == {"alice": "running"}
        assert resident(stack.hello().pid) < 40 * MEBIBYTE


def test_a_lease_that_runs_out_ends_everything_and_removes_it(stack: Stack) -> None:
    stack.up(stack.wanted("alice"), ttl=1500)
    pid, lease = stack.pid("alice"), stack.leases.path(stack.name)
    assert lease.exists()

    wait_dead(pid)
    stack.wait_empty()

    assert (stack.folder.exists(), lease.exists(), stack.guardian.runtime.exists()) == (False, False, False)


def test_a_renewed_lease_counts_from_then(stack: Stack) -> None:
    stack.up(stack.wanted("alice"), ttl=1500)
    hello = stack.hello()

    stack.engine.begin(stack.lease(3_600_000))
    stack.clock.wait(2.0)  # past the first lease

    assert stack.hello() == hello
    assert stack.states() == {"alice": "running"}


def test_components_end_in_reverse_order_of_need_side_by_side(stack: Stack) -> None:
    order = stack.root / "order"
    says = "trap 'echo {0} >> {1}; exit 0' TERM; echo up; while :; do sleep 0.02; done"
    names = {"chain": (), "alice": ("chain",), "bob": ("chain",), "app": ("alice", "bob")}
    stack.up(*(stack.wanted(name, says.format(name, order), depends_on=needs) for name, needs in names.items()))
    for name in names:
        until(lambda name=name: stack.log(name) == ["up"], f"{name} listens to signals")

    stack.engine.destroy()

    ended = order.read_text().split()
    assert (ended[0], ended[-1], sorted(ended)) == ("app", "chain", sorted(names))


def test_what_does_not_end_in_its_grace_is_killed_with_its_group(stack: Stack) -> None:
    deaf = "trap '' TERM; sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; done' & wait; while :; do sleep 1; done"
    stack.up(stack.wanted("alice", deaf, grace="200 ms"))
    until(lambda: stack.log("alice"), "the grandchild runs")
    grandchild = int(stack.log("alice")[0])

    stack.engine.driver().stop("alice")

    look = stack.engine.driver().conditions()["alice"]
    assert (str(look.state), look.exit_status) == ("stopped", -signal.SIGKILL)
    wait_dead(grandchild)


@pytest.mark.timeout(60)  # far less than the grace
def test_what_is_removed_with_its_data_has_little_grace(stack: Stack) -> None:
    deaf = "trap '' TERM; echo up; while :; do sleep 1; done"
    stack.up(stack.wanted("alice", deaf, grace="10 m"))
    until(lambda: stack.log("alice"), "it is deaf")
    pid = stack.pid("alice")

    stack.engine.destroy()

    wait_dead(pid)


def test_a_paused_component_can_be_stopped(stack: Stack) -> None:
    stack.up(stack.wanted("alice"))
    os.kill(stack.pid("alice"), signal.SIGSTOP)

    stack.engine.driver().stop("alice")

    assert stack.engine.driver().conditions()["alice"].exit_status == -signal.SIGTERM


def test_a_program_that_cannot_be_run_is_named(stack: Stack) -> None:
    from msgspec.structs import replace

    alice = stack.wanted("alice")
    broken = replace(alice, rendered=replace(alice.rendered, command=("/no/such/program",)))

    with pytest.raises(ApplyError) as failed:
        stack.up(broken)

    assert failed.value.code == "component-unstartable"
    assert "/no/such/program" in failed.value.brief


def test_a_guardian_that_fails_says_why(root: Path, stack: Stack) -> None:
    (root / "run").mkdir(mode=0o700)
    (root / "run" / stack.name).write_text("in the way")

    with pytest.raises(ApplyError) as failed:
        stack.engine.begin(stack.lease())

    assert failed.value.code == "guardian-failed"
    assert stack.name in failed.value.brief
    (root / "run" / stack.name).unlink()


def test_a_change_of_ports_alone_starts_a_component_anew(stack: Stack) -> None:
    stack.up(stack.wanted("alice", config=b"peer=1"))
    before = stack.pid("alice")

    stack.up(stack.wanted("alice", config=b"peer=2"))

    assert stack.pid("alice") != before
    assert not is_alive(before)


def test_a_log_is_rotated_and_followed_without_a_gap(stack: Stack) -> None:
    count = 260_000  # lines of 100 bytes: 26 MB
    writes = f"seq -f '%099.0f' 1 {count}; exit 0"
    from msgspec.structs import replace

    stack.up(replace(stack.wanted("alice", "exec sleep 1000")))
    stack.engine.driver().stop("alice")
    job = replace(stack.wanted("alice", f"PATH=/usr/bin:/bin; {writes}"), one_shot=True)

    follower: list[bytes] = []
    began = threading.Event()

    def follow() -> None:
        for line in stack.engine.driver().logs("alice", follow=True):
            began.set()
            follower.append(line)

    stack.up(job)
    thread = threading.Thread(target=follow)
    thread.start()
    thread.join()

    numbers = [int(line) for line in follower if line.isdigit()]
    kept = [int(line) for line in stack.log("alice")]
    files = sorted(path.name for path in stack.layout.log("alice").parent.iterdir())
    assert files == ["alice.log", "alice.log.1", "alice.log.2"]
    assert kept == list(range(kept[0], count + 1))
    assert numbers == list(range(numbers[0], count + 1))
    sizes = [path.stat().st_size for path in stack.layout.log("alice").parent.iterdir()]
    assert max(sizes) <= wire.LOG_LIMIT
