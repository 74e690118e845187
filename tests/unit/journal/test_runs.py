"""The journals of past runs: found by stack, read from the end, kept in number."""

from __future__ import annotations

from pathlib import Path

from cartridge.journal import runs
from cartridge.journal.events import Noted, RunStarted
from cartridge.journal.recorder import Recorder, replay
from tests.doubles.clock import FakeClock


def record(folder: Path, clock: FakeClock, verb: str, stack: str, notes: int = 0) -> Path:
    path = runs.path_for(folder, clock.now(), verb)
    recorder = Recorder(clock, path)
    recorder.note("before the documents are read")
    recorder.record(RunStarted(verb, stack, "process", "0.1.0"))
    for number in range(notes):
        recorder.note(str(number))
    recorder.close()
    clock.advance(60)
    return path


def test_the_newest_of_a_stack_is_found_among_others(tmp_path: Path) -> None:
    clock = FakeClock()
    first = record(tmp_path, clock, "up", "pair-1")
    down = record(tmp_path, clock, "down", "pair-1")
    other = record(tmp_path, clock, "up", "shop-2")

    assert runs.journals(tmp_path) == (other, down, first)
    assert runs.newest(tmp_path) == other
    assert runs.newest(tmp_path, "pair-1") == down
    assert runs.newest(tmp_path, "pair-1", "up") == first
    assert runs.newest(tmp_path, "gone-3") is None
    assert runs.newest(tmp_path / "nowhere") is None


def test_the_tail_is_the_last_entries_in_order(tmp_path: Path) -> None:
    path = record(tmp_path, FakeClock(), "up", "pair-1", notes=5)

    assert [entry.event for entry in runs.tail(path, 2)] == [Noted("info", "3"), Noted("info", "4")]
    assert runs.tail(path, 100) == tuple(replay(path))


def test_old_journals_go_and_the_newest_stay(tmp_path: Path) -> None:
    clock = FakeClock()
    paths = [record(tmp_path, clock, "up", "pair-1") for _ in range(5)]
    (tmp_path / "notes.txt").write_text("not a journal", encoding="utf-8")

    assert runs.retain(tmp_path, 3) == (paths[1], paths[0])
    assert set(tmp_path.iterdir()) == {*paths[2:], tmp_path / "notes.txt"}
    assert runs.retain(tmp_path, 3) == ()


def test_two_runs_at_the_same_moment_have_journals_of_their_own(tmp_path: Path) -> None:
    now = FakeClock().now()

    assert runs.path_for(tmp_path, now, "up") != runs.path_for(tmp_path, now, "down")
    assert runs.path_for(tmp_path, now, "up").name.startswith("20300101T000000.000000-")
