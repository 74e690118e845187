"""Files are copied whole, without what is left out, and without the room that zeros would take."""

from __future__ import annotations

import io
import os
from pathlib import Path, PurePosixPath

import pytest

from cartridge.targets.copying import copy_file, copy_tree, read, write_stream

MEBIBYTE = 1 << 20


def tree(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_tree_is_copied_without_what_is_left_out_and_without_what_is_no_file(tmp_path: Path) -> None:
    source, to = tmp_path / "source", tmp_path / "to"
    for path in ("a", "logs/x.log", "deep/er/b", "deep/logs/y"):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(path.encode())
    (source / "link").symlink_to("a")
    os.mkfifo(source / "pipe")

    copy_tree(source, to, lambda path: path == PurePosixPath("logs"))

    assert tree(to) == {"a": b"a", "deep/er/b": b"deep/er/b", "deep/logs/y": b"deep/logs/y"}
    assert {(to / name).stat().st_mode & 0o777 for name in ("", "deep")} == {0o700}
    assert (to / "a").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        bytes(3 * MEBIBYTE),
        b"x" + bytes(2 * MEBIBYTE),
        bytes(MEBIBYTE) + b"x",
        bytes(MEBIBYTE) + b"x" + bytes(99),
    ],
)
def test_a_file_is_copied_as_it_is_and_its_zeros_take_no_room(tmp_path: Path, content: bytes) -> None:
    source, copy, streamed = tmp_path / "source", tmp_path / "copy", tmp_path / "streamed"
    source.write_bytes(content)

    copy_file(source, copy)
    write_stream(io.BytesIO(content), streamed)

    assert (copy.read_bytes(), streamed.read_bytes()) == (content, content)
    assert all(path.stat().st_blocks * 512 <= MEBIBYTE // 2 for path in (copy, streamed))


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")

    with pytest.raises(FileExistsError):
        copy_file(tmp_path / "a", tmp_path / "b")

    assert [read(tmp_path / "b"), read(b"bytes")] == [b"b", b"bytes"]
