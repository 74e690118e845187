"""Both clocks keep the same promises; the one that tests own lets hours pass in no time."""

from __future__ import annotations

import datetime
import threading

import pytest

from cartridge.clock import Clock, SystemClock
from tests.doubles.clock import FakeClock

CLOCKS = [SystemClock, FakeClock]


@pytest.mark.parametrize("kind", CLOCKS)
def test_the_time_of_day_is_in_utc(kind: type[Clock]) -> None:
    assert kind().now().utcoffset() == datetime.timedelta(0)


@pytest.mark.parametrize("kind", CLOCKS)
def test_waiting_lets_at_least_that_much_time_pass(kind: type[Clock]) -> None:
    clock = kind()
    before = clock.monotonic()

    was_set = clock.wait(0.02)

    assert not was_set
    assert clock.monotonic() - before >= 0.02


@pytest.mark.parametrize("kind", CLOCKS)
def test_an_event_already_set_ends_the_wait_at_once(kind: type[Clock]) -> None:
    clock, until = kind(), threading.Event()
    until.set()
    before = clock.monotonic()

    assert clock.wait(3600, until)
    assert clock.monotonic() - before < 60


def test_an_event_set_meanwhile_ends_a_real_wait() -> None:
    until = threading.Event()
    threading.Timer(0.01, until.set).start()

    assert SystemClock().wait(60, until)


def test_a_clock_of_ones_own_tells_the_same_moment_until_it_is_moved() -> None:
    clock = FakeClock("2031-05-06T07:08:09+00:00")
    assert clock.now() == clock.now() == datetime.datetime(2031, 5, 6, 7, 8, 9, tzinfo=datetime.UTC)

    clock.advance(86_400)

    assert (clock.now().isoformat(), clock.monotonic()) == ("2031-05-07T07:08:09+00:00", 86_400)
