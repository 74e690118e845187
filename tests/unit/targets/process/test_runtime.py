"""The folder of sockets is private and its paths are short, or it is refused by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cartridge.errors import MissingError
from cartridge.targets.process.runtime import LONGEST_ADDRESS, make_private, stack_folder


def test_a_stack_has_a_folder_of_its_name() -> None:
    assert stack_folder(Path("/run/c"), "pair-1a2b3c") == Path("/run/c/pair-1a2b3c")


def test_a_name_too_long_for_an_address_is_replaced_by_its_digest_and_stays_apart() -> None:
    names = ["n" * 90, "n" * 91]

    folders = [stack_folder(Path("/run/c"), name) for name in names]

    assert len(set(folders)) == 2
    assert all(len(os.fsencode(folder / "guardian.sock")) <= LONGEST_ADDRESS for folder in folders)


def test_a_folder_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(MissingError) as refused:
        stack_folder(Path("/" + "deep/" * 20), "pair")

    assert refused.value.code == "runtime-folder-long"


def test_the_folder_is_made_private_and_a_repeat_is_fine(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"

    make_private(folder)
    make_private(folder)

    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_others_may_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)

    with pytest.raises(MissingError, match="others may write into it") as refused:
        make_private(tmp_path)

    assert refused.value.code == "runtime-folder-unsafe"


def test_a_link_or_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "file").write_text("")

    for name in ("link", "file"):
        with pytest.raises(MissingError, match="cannot hold sockets"):
            make_private(tmp_path / name)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make another user's folder")
def test_another_users_folder_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)

    with pytest.raises(MissingError, match="another user's"):
        make_private(tmp_path)
