"""One run at a time on one stack, and a dead one holds nothing."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from cartridge import spawn
from cartridge.deploy import locks
from cartridge.deploy.locks import Holder, Queue
from cartridge.errors import InterruptError, UnknownVerdictError
from tests.conformance.waiting import until
from tests.doubles.clock import FakeClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "locks" / "pair.lock"


def test_a_lock_names_its_holder_and_leaves_no_file(path: Path) -> None:
    with locks.hold(path, "up", Queue(FakeClock())):
        held = locks.holder(path)

    assert held == Holder(os.getpid(), "up", "2030-01-01T00:00:00+00:00")
    assert (locks.holder(path), path.exists()) == (None, False)


def test_a_second_run_is_told_who_is_at_work(path: Path) -> None:
    clock, told = FakeClock(), []

    with (
        locks.hold(path, "up", Queue(clock)),
        pytest.raises(UnknownVerdictError) as locked,
        locks.hold(path, "down", Queue(clock, seconds=10, waiting=told.append)),
    ):
        pass

    assert locked.value.code == "stack-locked"
    assert locked.value.brief == (
        f"`cartridge up` (process {os.getpid()}, since 2030-01-01T00:00:00+00:00) is at work on this stack"
    )
    assert told == [Holder(os.getpid(), "up", "2030-01-01T00:00:00+00:00")]
    assert clock.monotonic() >= 10


def test_waiting_can_be_called_off(path: Path) -> None:
    cancelled = threading.Event()
    cancelled.set()

    with (
        locks.hold(path, "up", Queue(FakeClock())),
        pytest.raises(InterruptError),
        locks.hold(path, "down", Queue(FakeClock(), seconds=10, cancelled=cancelled)),
    ):
        pass


def test_the_lock_of_a_killed_process_is_free(path: Path) -> None:
    code = (
        "import sys, pathlib, threading; from cartridge.clock import SystemClock; from cartridge.deploy import locks\n"
        "with locks.hold(pathlib.Path(sys.argv[1]), 'up', locks.Queue(SystemClock())): threading.Event().wait()"
    )
    process = spawn.start([sys.executable, "-c", code, str(path)])
    until(lambda: locks.holder(path), "the other process has it")
    other = locks.holder(path)
    process.kill()
    process.wait()

    with locks.hold(path, "down", Queue(FakeClock())):
        mine = locks.holder(path)

    assert (other and other.pid, mine and mine.verb) == (process.pid, "down")


def test_after_a_holder_deletes_the_file_a_waiter_locks_the_new_one(path: Path) -> None:
    clock, order = FakeClock(), []
    threads = []

    def work(number: int) -> None:
        with locks.hold(path, str(number), Queue(clock, seconds=1e9)):
            order.append(("in", number))
            order.append(("out", number))

    for number in range(8):
        threads.append(threading.Thread(target=work, args=(number,)))
        threads[-1].start()
    for thread in threads:
        thread.join()

    assert [what for what, _ in order] == ["in", "out"] * 8
    assert all(order[index][1] == order[index + 1][1] for index in range(0, 16, 2))
