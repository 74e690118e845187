"""The recorder: every event on disk and at every listener, whole lines only, no secret."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from cartridge.errors import MissingError
from cartridge.journal.events import (
    KINDS,
    ComponentChanged,
    Ending,
    Event,
    Noted,
    RunEnded,
    RunStarted,
    StepEnded,
    StepProgress,
    StepStarted,
)
from cartridge.journal.recorder import Entry, Recorder, encode, replay
from tests.doubles.clock import FakeClock

ONE_OF_EACH: tuple[Event, ...] = (
    RunStarted("up", "pair-1", "process", "0.1.0"),
    StepStarted("start/alice", "alice: starting"),
    StepProgress("start/alice", 1, 2, "wallets", "scrypt"),
    ComponentChanged("alice", "ready"),
    Noted("warning", "port 9735 was taken — “ünïcode” too"),
    StepEnded("start/alice", Ending.DONE, ""),
    RunEnded(Ending.FAILED, 4, "component-failed", "it ended"),
)


def test_what_is_recorded_is_what_is_replayed_and_what_listeners_get(tmp_path: Path) -> None:
    heard: list[Entry] = []
    clock, path = FakeClock(), tmp_path / ".cartridge" / "journal" / "run.jsonl"
    recorder = Recorder(clock, path, (heard.append,))

    for event in ONE_OF_EACH:
        recorder.record(event)
        clock.advance(0.25)
    recorder.close()

    assert {type(event) for event in ONE_OF_EACH} == set(KINDS.values())
    assert [entry.event for entry in heard] == list(ONE_OF_EACH)
    assert list(replay(path)) == heard
    assert heard[2] == Entry("2030-01-01T00:00:00.500+00:00", 0.5, ONE_OF_EACH[2])
    assert path.stat().st_mode & 0o777 == 0o600
    assert [folder.stat().st_mode & 0o777 for folder in (path.parent, path.parent.parent)] == [0o700, 0o700]


def test_a_torn_line_and_a_later_version_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    whole = encode(Entry("2030-01-01T00:00:00.000+00:00", 0.0, Noted("info", "first")))
    later = b'{"at":"2030","offset":1.0,"type":"star-fell","where":"here"}\n'
    more = b'{"at":"2030","offset":2.0,"type":"noted","level":"info","text":"second","colour":"red"}\n'
    path.write_bytes(whole + later + more + whole[:20])

    assert [entry.event for entry in replay(path)] == [Noted("info", "first"), Noted("info", "second")]


def test_a_step_ends_as_its_body_does() -> None:
    heard: list[Event] = []
    recorder = Recorder(FakeClock(), None, (lambda entry: heard.append(entry.event),))

    with recorder.step("a", "first"):
        pass
    with recorder.step("b", "second") as step:
        step.skip("all there")
    with pytest.raises(MissingError), recorder.step("c", "third"):
        raise MissingError("Docker does not answer")
    with pytest.raises(ValueError, match="token"), recorder.step("d", "fourth"):
        raise ValueError("token=abcdefgh")

    assert [event for event in heard if isinstance(event, StepEnded)] == [
        StepEnded("a", Ending.DONE, ""),
        StepEnded("b", Ending.SKIPPED, "all there"),
        StepEnded("c", Ending.FAILED, "Docker does not answer"),
        StepEnded("d", Ending.FAILED, "ValueError"),
    ]


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    recorder = Recorder(FakeClock(), path)
    threads = [threading.Thread(target=lambda: [recorder.note("x" * 500) for _ in range(100)]) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()

    assert [json.loads(line)["text"] for line in path.read_bytes().splitlines()] == ["x" * 500] * 800


def test_a_closed_recorder_still_tells_its_listeners(tmp_path: Path) -> None:
    heard: list[Entry] = []
    recorder = Recorder(FakeClock(), tmp_path / "run.jsonl", (heard.append,))
    recorder.note("early")
    recorder.close()

    recorder.note("late")

    assert [entry.event for entry in heard] == [Noted("info", "early"), Noted("info", "late")]
    assert list(replay(tmp_path / "run.jsonl")) == heard[:1]


def test_what_looks_like_a_secret_is_hidden_before_anybody_gets_it(tmp_path: Path) -> None:
    heard: list[Entry] = []
    path = tmp_path / "run.jsonl"
    recorder = Recorder(FakeClock(), path, (heard.append,))

    recorder.record(StepEnded("rpc", Ending.FAILED, "http://cartridge:s3cr3ts3cr3t@127.0.0.1:18443 refused"))
    recorder.close()

    hidden = StepEnded("rpc", Ending.FAILED, "http://cartridge:[hidden]@127.0.0.1:18443 refused")
    assert [entry.event for entry in heard] == [hidden]
    assert [entry.event for entry in replay(path)] == [hidden]


def test_a_journal_that_cannot_be_written_is_given_up_with_a_warning(tmp_path: Path) -> None:
    heard: list[Event] = []
    path = tmp_path / "file" / "journal" / "run.jsonl"
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    recorder = Recorder(FakeClock(), path, (lambda entry: heard.append(entry.event),))

    recorder.note("first")
    recorder.note("second")
    recorder.close()

    warning = Noted("warning", f"this run is not recorded: {path}: File exists")
    assert heard == [warning, Noted("info", "first"), Noted("info", "second")]


def test_a_full_disk_ends_the_journal_and_not_the_run() -> None:
    heard: list[Event] = []
    recorder = Recorder(FakeClock(), Path("/dev/full"), (lambda entry: heard.append(entry.event),))

    recorder.note("first")
    recorder.note("second")

    warning = Noted("warning", "this run is not recorded: /dev/full: No space left on device")
    assert heard == [warning, Noted("info", "first"), Noted("info", "second")]


def test_a_run_that_says_nothing_leaves_no_file(tmp_path: Path) -> None:
    Recorder(FakeClock(), tmp_path / "journal" / "run.jsonl").close()

    assert list(tmp_path.iterdir()) == []
