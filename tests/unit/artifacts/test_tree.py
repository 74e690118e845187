from __future__ import annotations

import os
from pathlib import Path

from cartridge.artifacts import tree


def write(root: Path) -> Path:
    (root / "bin").mkdir(parents=True)
    (root / "bin/thing").write_text("x")
    (root / "bin/thing").chmod(0o755)
    (root / "readme").write_text("hello")
    (root / "link").symlink_to("bin/thing")
    return root


def test_the_same_content_has_the_same_digest_whatever_its_dates_and_owner_bits(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a"), write(tmp_path / "b")
    os.utime(second / "readme", (1, 1))
    (second / "readme").chmod(0o600)

    assert tree.digest(first) == tree.digest(second)


def test_every_kind_of_change_changes_the_digest(tmp_path: Path) -> None:
    roots = [write(tmp_path / str(number)) for number in range(6)]
    (roots[1] / "readme").write_text("hellO")
    (roots[2] / "readme").rename(roots[2] / "readme2")
    (roots[3] / "bin/thing").chmod(0o644)
    (roots[4] / "link").unlink()
    (roots[4] / "link").symlink_to("readme")
    (roots[5] / "empty").mkdir()

    assert len({tree.digest(root) for root in roots}) == 6


def test_a_frozen_tree_is_read_only_and_can_still_be_removed(tmp_path: Path) -> None:
    root = write(tmp_path / "a")
    (root / "bin/thing").chmod(0o4755)

    tree.freeze(root)

    modes = {name: entry.stat(follow_symlinks=False).st_mode & 0o7777 for name, entry in tree.walk(root)}
    assert modes | {"link": 0} == {"bin": 0o555, "bin/thing": 0o555, "readme": 0o444, "link": 0}
    tree.remove(root)
    assert not root.exists()


def test_the_cheap_look_names_the_first_file_that_differs(tmp_path: Path) -> None:
    root = write(tmp_path / "a")
    stamps = tree.stamps(root)

    assert tree.first_difference(root, stamps) == ""

    (root / "readme").write_text("hello!")
    assert tree.first_difference(root, stamps) == "`readme` has 6 bytes instead of 5"
    (root / "readme").unlink()
    assert tree.first_difference(root, stamps) == "`readme` is gone"
