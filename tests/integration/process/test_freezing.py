"""Components stand still when the guardian is told so, all of their processes, and never for longer than was said."""

from __future__ import annotations

from pathlib import Path

import pytest

from cartridge.errors import ApplyError
from tests.conformance.waiting import until
from tests.integration.process.conftest import Stack

COUNTING = "n=0; while :; do n=$((n+1)); echo $n; sleep 0.01; done"


def is_stopped(pid: int) -> bool:
    """Tell whether a process stands still."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_frozen_components_stand_still_until_they_are_thawed(stack: Stack) -> None:
    stack.up(stack.wanted("alice", COUNTING), stack.wanted("bob", COUNTING), stack.wanted("carol", COUNTING))
    until(lambda: len(stack.log("alice")) > 3, "alice counts")

    stack.guardian.freeze(["alice"], 20)
    stack.guardian.freeze(["alice", "bob"], 20)
    frozen = {name: is_stopped(stack.pid(name)) for name in ("alice", "bob", "carol")}
    said = stack.log("alice")
    later = len(stack.log("carol")) + 10
    until(lambda: len(stack.log("carol")) > later, "carol counts on")
    still = stack.log("alice") == said
    thawed = stack.guardian.thaw()
    until(lambda: len(stack.log("alice")) > len(said), "alice counts on")

    assert (frozen, still, thawed) == ({"alice": True, "bob": True, "carol": False}, True, {"alice", "bob"})
    assert stack.guardian.thaw() == frozenset()


def test_who_makes_children_all_the_time_stands_still_too(stack: Stack) -> None:
    """A process that waits for its child to become another program cannot stop before that."""
    stack.up(stack.wanted("alice", "while :; do sleep 0.001; done"))

    for _ in range(100):
        stack.guardian.freeze(["alice"], 20)
        assert is_stopped(stack.pid("alice"))
        assert stack.guardian.thaw() == {"alice"}


def test_they_go_on_by_themselves_when_their_time_is_up(stack: Stack) -> None:
    stack.up(stack.wanted("alice", COUNTING))

    stack.guardian.freeze(["alice"], 0.2)

    until(lambda: not is_stopped(stack.pid("alice")), "alice goes on")
    assert stack.guardian.thaw() == frozenset()


def test_what_does_not_run_cannot_be_frozen_and_nothing_else_is(stack: Stack) -> None:
    stack.up(stack.wanted("alice", COUNTING), stack.wanted("bob", COUNTING))
    stack.engine.driver().stop("bob")

    with pytest.raises(ApplyError) as error:
        stack.guardian.freeze(["alice", "bob"], 20)

    assert (error.value.code, is_stopped(stack.pid("alice"))) == ("component-not-running", False)


def test_a_frozen_component_can_die_and_a_frozen_stack_can_end(stack: Stack) -> None:
    stack.up(stack.wanted("alice", COUNTING), stack.wanted("bob", COUNTING))
    stack.guardian.freeze(["alice", "bob"], 20)

    stack.engine.driver().stop("alice")
    thawed = stack.guardian.thaw()
    stack.guardian.freeze(["bob"], 20)
    stack.engine.destroy()

    assert thawed == {"bob"}
    stack.wait_empty()
