"""The views of progress, told events by hand under a clock of the test's own."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from cartridge.clock import SystemClock
from cartridge.journal.recorder import Recorder
from cartridge.surfaces.cli import progress
from cartridge.surfaces.cli.progress.plain import PlainView
from cartridge.surfaces.cli.progress.tty import TtyView
from cartridge.surfaces.cli.style import elapsed
from cartridge.surfaces.cli.terminal import Terminal
from tests.doubles.clock import FakeClock
from tests.doubles.shell import Stream


def terminal(*, watched: bool = False, unattended: bool = False) -> tuple[Terminal, Stream]:
    err = Stream(terminal=watched)
    return Terminal(Stream(), Stream(), err, colourless=True, unattended=unattended), err


def test_a_step_that_lasts_shows_a_sign_of_life_after_a_second_and_every_ten() -> None:
    clock, (screen, err) = FakeClock(), terminal()
    view = PlainView(screen, clock)
    recorder = Recorder(clock, None, (view.on,))

    with recorder.step("artifacts/lnd", "lnd: building"):
        for second in range(25):
            if second == 12:
                recorder.progress("artifacts/lnd", 12, 40, "packages")
            view.tick()
            clock.advance(1)

    assert err.getvalue() == (
        "   1.0 s  working  lnd: building\n"
        "    10 s  working  lnd: building\n"
        "    20 s  working  lnd: building: 12 of 40 packages\n"
        "    25 s  done     lnd: building (25 s)\n"
    )


def test_two_steps_at_once_are_told_apart() -> None:
    clock, (screen, err) = FakeClock(), terminal()
    view = PlainView(screen, clock)
    recorder = Recorder(clock, None, (view.on,))

    with recorder.step("a", "alice: starting"):
        clock.advance(0.5)
        with recorder.step("b", "bob: starting"):
            recorder.progress("b", 3 * 1024 * 1024, 0, "bytes")
            clock.advance(1)
            view.tick()

    assert err.getvalue() == (
        "   1.5 s  working  alice: starting\n"
        "   1.5 s  working  bob: starting: 3.0 MiB\n"
        "   1.5 s  done     bob: starting (1.0 s)\n"
        "   1.5 s  done     alice: starting (1.5 s)\n"
    )


def test_a_failed_step_says_why() -> None:
    clock, (screen, err) = FakeClock(), terminal()
    recorder = Recorder(clock, None, (PlainView(screen, clock).on,))

    with pytest.raises(OSError, match="disk full"), recorder.step("a", "alice: starting"):
        raise OSError("disk full")

    assert err.getvalue() == "   0.0 s  failed   alice: starting: OSError\n"


def test_a_short_run_draws_nothing_on_a_terminal() -> None:
    clock, (screen, err) = FakeClock(), terminal(watched=True)
    view = TtyView(screen, clock)
    recorder = Recorder(clock, None, (view.on,))

    with recorder.step("a", "alice: starting"):
        clock.advance(0.2)
        view.tick()
    view.close()

    assert err.getvalue() == ""


def test_a_step_that_lasts_is_drawn_and_gone_at_the_end() -> None:
    clock, (screen, err) = FakeClock(), terminal(watched=True)
    view = TtyView(screen, clock)
    recorder = Recorder(clock, None, (view.on,))

    with recorder.step("a", "lnd: building"):
        clock.advance(1)
        recorder.progress("a", 10, 40, "packages")
        view.tick()
        drawn = err.getvalue()
    view.close()

    assert "⠙ lnd: building   1.0 s  ━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 10 of 40 packages" in drawn
    assert err.getvalue().endswith("\x1b[2K")  # the last thing it does is to clear its line


def test_what_failed_stays_on_the_terminal() -> None:
    clock, (screen, err) = FakeClock(), terminal(watched=True)
    view = TtyView(screen, clock)
    recorder = Recorder(clock, None, (view.on,))

    with pytest.raises(OSError, match="full"), recorder.step("a", "alice: starting"):
        raise OSError("full")
    view.close()

    assert err.getvalue() == "✗ alice: starting: OSError\n"


@pytest.mark.parametrize(
    ("wanted", "watched", "unattended", "view"),
    [
        ("auto", True, False, "TtyView"),
        (None, True, False, "TtyView"),
        ("auto", False, False, "PlainView"),
        ("auto", True, True, "PlainView"),
        ("tty", False, True, "TtyView"),
        ("json", True, False, "JsonView"),
        ("quiet", True, False, "QuietView"),
    ],
)
def test_the_form_fits_who_reads(wanted: str | None, watched: bool, unattended: bool, view: str) -> None:
    made: list[str] = []

    def noted(form: str) -> Callable[..., progress.View]:
        def make(*arguments: object) -> progress.View:
            found = progress.VIEWS[form](*arguments)  # type: ignore[arg-type]
            made.append(type(found).__name__)
            return found

        return make

    screen, _ = terminal(watched=watched, unattended=unattended)
    views = {form: noted(form) for form in progress.VIEWS}

    with progress.shown(wanted, screen, SystemClock(), views):
        pass

    assert made == [view]


def test_an_announcement_is_shown_even_if_the_run_ends_at_once() -> None:
    screen, err = terminal()

    with progress.shown("quiet", screen, SystemClock()) as show:
        show.announce("ending in order")

    assert err.getvalue() == "ending in order\n"


def test_no_thread_is_left_behind() -> None:
    screen, _ = terminal()

    with progress.shown("plain", screen, SystemClock()):
        assert "progress" in {thread.name for thread in threading.enumerate()}

    assert "progress" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (1.24, "1.2 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 m 00 s"),
     (327, "5 m 27 s"), (3599.7, "1 h 00 m"), (7505, "2 h 05 m")],
)  # fmt: skip
def test_a_duration_reads_well(seconds: float, text: str) -> None:
    assert elapsed(seconds) == text
