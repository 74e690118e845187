"""Components start when what they need is ready; one failure ends every wait."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from cartridge.errors import ApplyError, UnknownVerdictError
from cartridge.journal.recorder import Recorder
from cartridge.operations.startup.readiness import Probe, Readiness
from cartridge.workspace.resolved import ResolvedComponent
from tests.doubles.clock import FakeClock
from tests.doubles.stacks import component

PAIR = {"db": component("db"), "web": component("web", depends_on=("db",))}


def readiness(probe: Probe, cancelled: threading.Event | None = None) -> Readiness:
    return Readiness(PAIR, probe, Recorder(FakeClock()), (cancelled or threading.Event()).set)


def answers(_: ResolvedComponent) -> None:
    return


def test_a_gate_opens_once_what_it_needs_is_ready() -> None:
    answer = threading.Event()
    ready = readiness(lambda one: answer.wait(10) and None)
    opened = threading.Event()

    def starter() -> None:
        ready.gate("web")
        opened.set()

    thread = threading.Thread(target=starter)
    thread.start()
    ready.started("db")
    assert not opened.is_set()
    answer.set()
    thread.join(10)

    assert opened.is_set()
    ready.close()


def test_waiting_returns_when_everything_is_ready() -> None:
    ready = readiness(answers)

    for name in PAIR:
        ready.started(name)

    ready.wait()
    assert ready.first is None
    ready.close()


def test_what_is_started_last_becomes_ready_though_all_others_and_what_follows_it_wait_for_it() -> None:
    """As in a stack of four that runs on: three nodes, their chain, and the block that follows it."""
    nodes = [f"node-{number}" for number in range(3)]
    stack = {"db": component("db"), **{name: component(name, depends_on=("db",)) for name in nodes}}
    ready = Readiness(stack, answers, Recorder(FakeClock()), threading.Event().set)
    followed = [ready.after(name, lambda: None) for name in stack]

    for name in (*nodes, "db"):
        ready.started(name)

    assert [one.result(10) for one in followed] == [None] * len(stack)
    ready.wait()
    ready.close()


def test_a_component_that_does_not_become_ready_is_named_and_ends_the_others_waits() -> None:
    cancelled = threading.Event()

    def probe(one: ResolvedComponent) -> None:
        raise UnknownVerdictError("gave up waiting for a port", code="wait-timeout", details=("refused",))

    ready = readiness(probe, cancelled)
    ready.started("db")

    with pytest.raises(ApplyError) as caught:
        ready.gate("web")

    assert caught.value.brief == "`db` did not become ready: gave up waiting for a port"
    assert (caught.value.code, caught.value.details) == ("component-not-ready", ("refused",))
    assert cancelled.wait(10)
    ready.close()


def test_what_must_be_done_beside_dependencies_is_waited_for() -> None:
    ready, paid = readiness(answers), Future[None]()
    ready.started("db")
    ready.require("web", paid)
    paid.set_exception(ApplyError("no coins", code="coins-exhausted"))

    with pytest.raises(ApplyError, match="no coins"):
        ready.gate("web")
    ready.close()


def test_what_comes_after_a_component_runs_once_it_is_ready() -> None:
    ready, done = readiness(answers), []

    outcome = ready.after("db", lambda: done.append("paid"))
    ready.started("db")

    outcome.result(10)
    assert done == ["paid"]
    ready.close()


def test_an_engine_that_fails_ends_every_wait_with_its_own_error() -> None:
    ready, error = readiness(answers), ApplyError("no room", code="component-failed")

    ready.fail(error)

    with pytest.raises(ApplyError, match="no room"):
        ready.wait()
    assert ready.first is error
    ready.close()
