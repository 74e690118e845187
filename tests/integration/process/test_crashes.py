"""Whatever is killed, nothing is left that the next `up`, `down` or `gc` does not mend."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from cartridge import spawn
from cartridge.deploy.direct import DirectEngine
from cartridge.errors import ApplyError, MissingError
from cartridge.journal.recorder import Recorder
from cartridge.targets.process import marks, orphans
from tests.conformance.waiting import until
from tests.integration.process.conftest import STAY, Stack, is_alive, wait_dead

ESCAPED = f"(trap '' TERM; setsid sh -c 'echo $$ > escaped; {STAY}' &) ; {STAY}"
"""A component whose grandchild has left its group, its session and its parent."""


def escaped(stack: Stack, component: str) -> int:
    """Return the pid of the grandchild once it has said it."""
    path = stack.layout.data(component) / "escaped"
    until(lambda: path.exists() and path.read_text().strip(), "the grandchild runs")
    return int(path.read_text())


def test_a_killed_guardian_takes_children_and_grandchildren_with_it(stack: Stack) -> None:
    stack.up(stack.wanted("alice", ESCAPED), stack.wanted("bob"))
    pids = [stack.pid("alice"), stack.pid("bob"), escaped(stack, "alice")]

    os.kill(stack.hello().pid, signal.SIGKILL)

    stack.wait_empty()
    assert [is_alive(pid) for pid in pids] == [False, False, False]
    assert list((stack.root / "run").iterdir()) == []


def test_after_a_killed_guardian_everything_has_failed_and_the_next_up_goes_on(stack: Stack) -> None:
    alice = stack.wanted("alice", seed={"kept": b"yes"})
    stack.up(alice, stack.wanted("bob"))
    driver = stack.engine.driver()
    addresses = [driver.address(name, "rpc") for name in ("alice", "bob")]
    os.kill(stack.hello().pid, signal.SIGKILL)
    stack.wait_empty()

    states, drift = stack.states(), [change.kind.value for change in stack.engine.drift([alice])]
    stack.up(alice, stack.wanted("bob"))

    assert (states, drift) == ({"alice": "failed", "bob": "failed"}, ["start", "delete"])
    assert [driver.address(name, "rpc") for name in ("alice", "bob")] == addresses
    assert driver.read("alice", "kept") == b"yes"
    assert stack.states() == {"alice": "running", "bob": "running"}


def test_when_guardian_and_watcher_are_killed_gc_finds_what_is_left_once(stack: Stack, other: Stack) -> None:
    other.up(other.wanted("carol", ESCAPED))
    stack.up(stack.wanted("alice", ESCAPED))
    left, hello = escaped(stack, "alice"), stack.hello()
    kept = [other.pid("carol"), escaped(other, "carol")]
    os.kill(hello.watcher, signal.SIGSTOP)  # so that it cannot clean up between the two
    os.kill(hello.pid, signal.SIGKILL)
    os.kill(hello.watcher, signal.SIGKILL)
    wait_dead(hello.watcher)

    found = orphans.find(stack.settings.runtime)
    removed = [orphans.remove(one) for one in found if one.stack == stack.name]
    again = [one for one in orphans.find(stack.settings.runtime) if one.stack == stack.name]

    mine = [(one.kind, one.identity) for one in found if one.stack == stack.name]
    assert ("process", str(left)) in mine
    assert ("folder", str(stack.guardian.runtime)) in mine
    assert all(removed)
    assert again == []
    assert not is_alive(left)
    assert [is_alive(pid) for pid in kept] == [True, True]
    assert other.name not in {one.stack for one in found}


def test_when_guardian_and_watcher_are_killed_the_next_up_sweeps_first(stack: Stack) -> None:
    stack.up(stack.wanted("alice", ESCAPED))
    left, hello = escaped(stack, "alice"), stack.hello()
    os.kill(hello.watcher, signal.SIGSTOP)
    os.kill(hello.pid, signal.SIGKILL)
    os.kill(hello.watcher, signal.SIGKILL)
    wait_dead(hello.watcher)

    stack.up(stack.wanted("alice"))

    assert not is_alive(left)
    assert stack.states() == {"alice": "running"}


def test_a_killed_watcher_is_replaced(stack: Stack) -> None:
    stack.up(stack.wanted("alice"))
    first = stack.hello().watcher

    os.kill(first, signal.SIGKILL)

    until(lambda: stack.hello().watcher not in (0, first), "there is a new watcher")
    assert stack.states() == {"alice": "running"}
    os.kill(stack.hello().pid, signal.SIGKILL)
    stack.wait_empty()


def test_a_guardian_told_to_end_ends_all_in_order_and_keeps_the_data(stack: Stack) -> None:
    order = stack.root / "order"
    says = "trap 'echo {0} >> {1}; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    stack.up(
        stack.wanted("chain", says.format("chain", order), seed={"kept": b"yes"}),
        stack.wanted("node", says.format("node", order), depends_on=("chain",)),
    )
    until(lambda: stack.log("chain") == stack.log("node") == ["up"], "both listen to signals")

    os.kill(stack.hello().pid, signal.SIGTERM)

    stack.wait_empty()
    assert order.read_text().split() == ["node", "chain"]
    assert (stack.layout.data("chain") / "kept").read_bytes() == b"yes"
    assert not stack.guardian.runtime.exists()


def test_a_killed_component_has_failed_by_that_signal_and_the_rest_runs_on(stack: Stack) -> None:
    stack.up(stack.wanted("alice"), stack.wanted("bob"))
    with stack.guardian.changes() as changes:
        changes.next(20.0)

        os.kill(stack.pid("alice"), signal.SIGKILL)
        looks = changes.next(20.0)

    assert [(look.name, look.state, look.exit_status) for look in looks] == [("alice", "failed", -9)]
    assert stack.states() == {"alice": "failed", "bob": "running"}


def test_a_component_that_ends_takes_its_own_descendants_with_it_and_no_others(stack: Stack) -> None:
    stack.up(stack.wanted("alice", ESCAPED), stack.wanted("bob", ESCAPED))
    of_alice, of_bob = escaped(stack, "alice"), escaped(stack, "bob")

    os.kill(stack.pid("alice"), signal.SIGKILL)

    wait_dead(of_alice)
    assert is_alive(of_bob)


CLIENT = """
import sys
from pathlib import Path
from cartridge.deploy.direct import DirectEngine
from cartridge.journal.gate import step_gate
from cartridge.journal.recorder import Recorder
from tests.integration.process.conftest import Stack

stack = Stack(sys.argv[1], Path(sys.argv[2]))
recorder = Recorder(stack.clock, listeners=(step_gate(Path(sys.argv[3])),))
stack.engine = DirectEngine(stack.name, stack.folder, stack.settings, stack.clock, recorder)
wanted = [stack.wanted("alice", seed={"kept": b"yes"})]
with recorder.step("begin", ""):
    stack.engine.begin(stack.lease())
with recorder.step("place", ""):
    stack.engine.place({one.name: (one.ports, one.host_ports, one.installed) for one in wanted})
stack.engine.apply(wanted, (), lambda _: None, lambda _: None)
with recorder.step("destroy", ""):
    stack.engine.destroy()
"""
"""A whole life of a stack, held at each step."""

NAMES = ("begin", "place", "seed/alice", "start/alice", "destroy")
STEPS = [f"{event} {step}" for step in NAMES for event in ("step-started", "step-ended")]


def kill_at(stack: Stack, step: str) -> None:
    """Run the client and kill it when it stands at that step."""
    address = str(stack.root / "gate")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        argv = [sys.executable, "-c", CLIENT, stack.name, str(stack.root), address]
        client = spawn.start(argv, cwd=Path(__file__).parents[3])
        gate, _ = listener.accept()
        with gate, gate.makefile("r") as lines:
            while lines.readline().strip() != step:
                gate.sendall(b".")
            client.kill()
            client.wait()


@pytest.mark.parametrize("step", STEPS)
def test_a_client_killed_at_any_step_leaves_nothing_that_up_and_down_do_not_mend(stack: Stack, step: str) -> None:
    kill_at(stack, step)

    stack.up(stack.wanted("alice", seed={"kept": b"yes"}))

    assert stack.states() == {"alice": "running"}
    assert stack.engine.driver().read("alice", "kept") == b"yes"
    assert len(marks.components(stack.name)) == 1
    stack.engine.destroy()
    assert (stack.processes(), stack.folder.exists(), stack.leases.read(stack.name)) == ([], False, None)
    assert list((stack.root / "run").iterdir()) == []


@pytest.mark.parametrize("step", STEPS)
def test_a_client_killed_at_any_step_leaves_nothing_that_down_alone_does_not_mend(stack: Stack, step: str) -> None:
    kill_at(stack, step)

    stack.engine.destroy()

    assert (stack.processes(), stack.folder.exists(), stack.leases.read(stack.name)) == ([], False, None)


def test_an_apply_learns_at_once_that_the_guardian_was_killed(stack: Stack) -> None:
    def gate(_: str) -> None:
        os.kill(stack.hello().pid, signal.SIGKILL)
        stack.wait_empty()

    alice = stack.wanted("alice")
    stack.engine.begin(stack.lease())
    stack.engine.place({"alice": (alice.ports, alice.host_ports, alice.installed)})

    with pytest.raises((MissingError, ApplyError)) as failed:
        stack.engine.apply([alice], (), gate, lambda _: None)

    assert failed.value.code == "target-down"


def test_a_guardian_that_hangs_is_ended_by_destroying_the_stack(stack: Stack) -> None:
    stack.up(stack.wanted("alice"))
    for pid in (stack.hello().pid, stack.hello().watcher):
        os.kill(pid, signal.SIGSTOP)

    removed = stack.engine.destroy()

    assert "component/alice" in removed
    assert (stack.processes(), stack.folder.exists(), stack.leases.read(stack.name)) == ([], False, None)


def test_a_client_whose_settings_lead_elsewhere_finds_the_guardian_all_the_same(stack: Stack) -> None:
    stack.up(stack.wanted("alice"))
    elsewhere = replace(stack.settings, runtime=stack.root / "else")
    engine = DirectEngine(stack.name, stack.folder, elsewhere, stack.clock, Recorder(stack.clock))

    engine.begin(stack.lease())
    states = {name: str(look.state) for name, look in engine.driver().conditions().items()}
    removed = engine.destroy()

    assert states == {"alice": "running"}
    assert "component/alice" in removed
    assert stack.processes() == []


def test_a_lease_taken_while_the_last_one_is_being_carried_out_starts_anew(stack: Stack) -> None:
    slow = "trap 'sleep 0.5; exit 0' TERM; echo up; while :; do sleep 0.02; done"
    stack.up(stack.wanted("alice", f"PATH=/bin:/usr/bin; {slow}"), ttl=1000)
    first = stack.hello()
    until(lambda: stack.states() == {"alice": "running"} and stack.log("alice") == ["up"], "it listens to signals")
    stack.clock.wait(1.1)  # past the lease; it is ending

    stack.up(stack.wanted("alice"))

    assert stack.hello() != first
    assert stack.states() == {"alice": "running"}
    assert stack.leases.read(stack.name) is not None
