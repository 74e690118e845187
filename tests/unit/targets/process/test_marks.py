"""Processes are known by both marks and by pid with start time; nobody else is ever touched."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from cartridge import spawn
from cartridge.targets.process import marks
from tests.conformance.waiting import until

STACK = f"marks-{os.getpid()}"
SLEEP = ["/bin/sleep", "1000"]


@pytest.fixture
def started() -> Iterator[dict[str, int]]:
    """A component's process, a user's shell that chose the stack, and a guardian's."""
    given = {
        "component": {"CARTRIDGE_STACK": STACK, "CARTRIDGE_COMPONENT": "alice"},
        "shell": {"CARTRIDGE_STACK": STACK},
        "guardian": {"CARTRIDGE_GUARDIAN": STACK},
    }
    processes = {name: spawn.start(SLEEP, environment=environment) for name, environment in given.items()}
    yield {name: process.pid for name, process in processes.items()}
    for process in processes.values():
        process.kill()
        process.wait()


def test_a_component_carries_both_marks(started: dict[str, int]) -> None:
    found = marks.components(STACK)

    assert [(one.pid, one.stack, one.component) for one in found] == [(started["component"], STACK, "alice")]
    assert [one.pid for one in marks.guardians(STACK)] == [started["guardian"]]
    assert marks.components(STACK, "bob") == []
    assert marks.components(STACK, "alice", [started["shell"], started["guardian"]]) == []


def test_only_the_very_process_is_killed(started: dict[str, int]) -> None:
    (found,) = marks.components(STACK)
    later = marks.Marked(found.pid, found.started + 1, STACK, "alice")

    spared, killed = marks.kill(later), marks.kill(found)
    until(lambda: marks.components(STACK) == [], "it is gone")

    assert (spared, killed) == (False, True)


def test_a_sweep_kills_components_and_nobody_else(started: dict[str, int]) -> None:
    killed = marks.sweep(STACK)

    assert [one.pid for one in killed] == [started["component"]]
    assert marks.sweep(STACK) == []
    assert len(marks.guardians(STACK)) == 1


def test_nobody_has_a_start_time_after_the_end() -> None:
    assert marks.start_time(os.getpid()) > 0
    assert marks.start_time(2**22 + 1) == 0
