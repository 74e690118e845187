"""The critical chain of a start is the chain of steps that decided when it ended."""

from __future__ import annotations

from cartridge.journal.events import Ending, Event, StepEnded, StepStarted
from cartridge.journal.recorder import Entry
from cartridge.operations.access.stages import Stages
from cartridge.operations.results.stacks import Stage


def told(*moments: tuple[float, Event]) -> tuple[Stage, ...]:
    stages = Stages()
    for offset, event in moments:
        stages(Entry("", offset, event))
    return stages.chain()


def test_the_chain_goes_back_from_the_last_to_end() -> None:
    chain = told(
        (0.0, StepStarted("load", "")),
        (1.0, StepEnded("load", Ending.DONE)),
        (1.0, StepStarted("quick", "")),
        (1.0, StepStarted("slow", "")),
        (2.0, StepEnded("quick", Ending.DONE)),
        (4.0, StepEnded("slow", Ending.DONE)),
        (4.0, StepStarted("last", "")),
        (5.0, StepEnded("last", Ending.DONE)),
    )

    assert chain == (Stage("load", 1.0), Stage("slow", 3.0), Stage("last", 1.0))


def test_steps_too_short_to_look_at_are_left_out() -> None:
    assert told((0.0, StepStarted("a", "")), (0.01, StepEnded("a", Ending.DONE))) == ()
