"""Asking until the answer is right."""

import threading

import pytest

from cartridge.errors import InterruptError, UnknownVerdictError
from cartridge.probes.wait import Patience, until
from tests.doubles.clock import FakeClock


def test_the_first_true_answer_is_returned():
    """Falsy ones and expected errors mean not yet."""
    clock, answers = FakeClock(), iter([None, 0, OSError("closed"), "open"])

    def question() -> object:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    assert until(question, "a door", Patience.of(clock, 5), expected=(OSError,)) == "open"
    assert clock.monotonic() < 0.05


def test_patience_that_runs_out_says_what_was_waited_for_and_the_last_answer():
    """Within one pause of the deadline."""
    clock = FakeClock()

    def question() -> bool:
        raise OSError("closed")

    with pytest.raises(UnknownVerdictError) as gave_up:
        until(question, "a door", Patience.of(clock, 5), expected=(OSError,))

    assert (gave_up.value.brief, gave_up.value.code, gave_up.value.details) == (
        "gave up waiting for a door",
        "wait-timeout",
        ("closed",),
    )
    assert 5 <= clock.monotonic() < 5.1


def test_a_part_of_a_patience_ends_with_the_whole():
    """Seconds left of each, after two of five have passed."""
    clock = FakeClock()
    whole = Patience.of(clock, 5)
    clock.wait(2)

    assert [whole.at_most(seconds).left() for seconds in (1, 3, 60)] == [1, 3, 3]
    assert whole.at_most(1).cancelled is whole.cancelled


def test_an_error_nobody_expected_is_not_swallowed():
    """It is a bug, or a refusal."""
    with pytest.raises(ZeroDivisionError):
        until(lambda: 1 / 0, "a number", Patience.of(FakeClock(), 5), expected=(OSError,))


def test_a_cancelled_patience_asks_no_more():
    """Ctrl-C was pressed."""
    cancelled = threading.Event()
    cancelled.set()

    with pytest.raises(InterruptError):
        until(lambda: True, "anything", Patience.of(FakeClock(), 5, cancelled))
