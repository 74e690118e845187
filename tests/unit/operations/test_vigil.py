"""A component that dies ends whatever is waited for, and is what the run failed with."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from cartridge.errors import ApplyError, InputError, InterruptError, UnknownVerdictError
from cartridge.operations.startup.vigil import kept
from tests.doubles.driver import FakeComponent, FakeDriver

LOST = UnknownVerdictError("`alice` does not answer", code="lnd-unreachable")


def driver(*names: str) -> FakeDriver:
    """Return a driver whose components run."""
    components = {name: FakeComponent(name, "d", ("fake", "--say", f"{name} was here"), {}) for name in names}
    for component in components.values():
        component.start()
    return FakeDriver(components)


def watch(there: FakeDriver, work: Callable[[], object], *names: str, told: list[BaseException] | None = None) -> bool:
    """Do `work` under a vigil over `names`; return whether the run was asked to end."""
    cancelled = threading.Event()
    with kept(there, cancelled.set) as vigil:
        if told is not None:
            vigil.tell(told.append)
        for name in names:
            vigil.started(name)
        vigil.over(lambda: work() and None, "network")
    return cancelled.is_set()


def death(name: str, how: str) -> tuple[object, ...]:
    """Return what the error of a death holds."""
    return (
        f"`{name}` ended by itself {how}",
        "component-failed",
        (f"{name} was here",),
        f"`cartridge logs {name}` has the rest; it was left as it is",
    )


def held(error: ApplyError) -> tuple[object, ...]:
    return (error.brief, error.code, error.details, error.resolution)


def test_work_that_would_never_end_is_left_when_a_component_dies() -> None:
    there, never = driver("alice", "bob"), threading.Event()

    def work() -> None:
        there.die("alice", -9)
        never.wait(60)

    with pytest.raises(ApplyError) as failed:
        watch(there, work, "alice")

    never.set()
    assert held(failed.value) == death("alice", "by SIGKILL")


def test_a_death_is_told_before_what_follows_from_it() -> None:
    there = driver("alice")

    def work() -> None:
        there.die("alice", 2)
        raise LOST

    with pytest.raises(ApplyError) as failed:
        watch(there, work, "alice")

    assert held(failed.value) == death("alice", "with status 2")


def test_whoever_was_dead_before_it_was_watched_counts_unless_it_was_started_again() -> None:
    there = driver("alice", "bob")
    told: list[BaseException] = []
    there.die("alice", 1)
    there.die("bob", 1)
    there.start("bob")

    with pytest.raises(ApplyError) as failed:
        watch(there, lambda: threading.Event().wait(60), "bob", "alice", told=told)

    assert held(failed.value) == death("alice", "with status 1")
    assert told == [failed.value]


def test_what_nobody_watches_over_may_die() -> None:
    there = driver("alice", "bob")

    assert watch(there, lambda: there.die("alice", 1), "bob") is False


@pytest.mark.parametrize("error", [InputError("no", code="x"), InterruptError(), LOST])
def test_without_a_death_a_failure_is_what_it_is(error: Exception) -> None:
    def work() -> None:
        raise error

    with pytest.raises(type(error)) as failed:
        watch(driver("alice"), work, "alice")

    assert failed.value is error
