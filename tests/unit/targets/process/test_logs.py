"""A log is one stream of lines, however often its files are moved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cartridge.targets.process import logs, wire
from cartridge.targets.process.child import Log


def rotate(path: Path) -> None:
    """Move the files aside as the guardian does."""
    for number in range(wire.LOG_FILES - 1, 0, -1):
        older = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number}"))


def acts(*steps: Callable[[], object]) -> Callable[[], bool]:
    """Return a `more` that does one step each time it is asked, and then says that the component has ended."""
    waiting = list(steps)

    def more() -> bool:
        if not waiting:
            return False
        waiting.pop(0)()
        return True

    return more


def append(path: Path, text: str) -> Callable[[], object]:
    """Return an act that writes to the newest file."""

    def act() -> None:
        with path.open("a") as file:
            file.write(text)

    return act


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alice.log"


def test_no_file_is_no_line(path: Path) -> None:
    assert list(logs.lines(path, None)) == []
    assert list(logs.lines(path, 3)) == []


@pytest.mark.parametrize(
    ("tail", "lines"),
    [
        (None, [b"1", b"2", b"3", b"4 and no end"]),
        (0, []),
        (1, [b"4 and no end"]),
        (3, [b"2", b"3", b"4 and no end"]),
        (9, [b"1", b"2", b"3", b"4 and no end"]),
    ],
)
def test_the_tail_counts_lines_over_all_files(path: Path, tail: int | None, lines: list[bytes]) -> None:
    path.write_text("1\n2")
    rotate(path)
    path.write_text("\n3\n")
    rotate(path)
    path.write_text("4 and no end")

    assert list(logs.lines(path, tail)) == lines


def test_an_empty_line_is_a_line_and_bytes_stay_bytes(path: Path) -> None:
    path.write_bytes(b"\n\xff\x00\r\n\n")

    assert list(logs.lines(path, None)) == [b"", b"\xff\x00\r", b""]


def test_following_sees_what_is_written_before_and_after_every_rotation(path: Path) -> None:
    path.write_text("1\n")
    more = acts(
        append(path, "2\n3 be"),
        append(path, "gins"),
        lambda: (append(path, " here\n4\n")(), rotate(path)),
        append(path, "5\n"),
        lambda: (append(path, "6\n")(), rotate(path), append(path, "7\n")(), rotate(path), append(path, "8\nlast")()),
    )

    assert list(logs.lines(path, None, more)) == [
        b"1", b"2", b"3 begins here", b"4", b"5", b"6", b"7", b"8", b"last"
    ]  # fmt: skip


def test_following_starts_with_the_tail_and_keeps_an_unfinished_line_back(path: Path) -> None:
    path.write_text("1\n2\n3 be")

    assert list(logs.lines(path, 1, acts(append(path, "gins\n")))) == [b"2", b"3 begins"]


def test_following_a_log_that_is_not_there_yet_waits_for_it(path: Path) -> None:
    assert list(logs.lines(path, None, acts(lambda: None, append(path, "1\n")))) == [b"1"]


def test_a_full_file_is_moved_aside_and_three_are_kept(path: Path) -> None:
    log = Log(str(path))
    block = b"x" * (wire.LOG_LIMIT // 2) + b"\n"
    for _ in range(9):
        log.write(block)
    log.close()

    sizes = {file.name: file.stat().st_size for file in path.parent.iterdir()}
    assert sizes == {"alice.log": len(block), "alice.log.1": len(block), "alice.log.2": len(block)}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_log_that_cannot_be_written_counts_what_it_loses_and_says_so(path: Path) -> None:
    log = Log("/dev/full")
    log.write(b"lost\n")
    log.close()
    log.path = str(path)
    log._open()

    log.write(b"found\n")

    log.close()
    assert path.read_bytes() == b"[5 bytes lost: the log could not be written]\nfound\n"
