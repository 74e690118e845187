from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from cartridge.artifacts import tree
from cartridge.artifacts.receipt import Made, Receipt
from cartridge.artifacts.store import Store


def put(store: Store, key: str = "k" * 40, content: str = "x") -> Receipt:
    with store.work("thing") as work:
        folder = work / "tree"
        (folder / "bin").mkdir(parents=True)
        (folder / "bin/thing").write_text(content)
        (folder / "bin/thing").chmod(0o755)
        tree.freeze(folder)
        made = Made("1.0.0", {"thing": "bin/thing"}, image=".", image_binaries={"thing": "/bin/thing"})
        blank = Receipt(key, "thing", "linux-x86_64", "release", tree.digest(folder), "", "2030-01-01", made, {})
        return store.commit(folder, blank)


def test_an_entry_is_named_by_its_digest_read_only_and_found_by_its_key(tmp_path: Path) -> None:
    store = Store(tmp_path)

    receipt = put(store)

    assert store.receipt(receipt.key) == receipt
    installed = receipt.installed(store.entries)
    assert installed.binaries == {"thing": installed.root / "bin/thing"}
    assert (installed.image_root, installed.image_binaries) == (installed.root / ".", {"thing": "/bin/thing"})
    assert installed.root.stat().st_mode & 0o777 == 0o555
    assert list((tmp_path / "work").iterdir()) == []


def test_two_keys_with_the_same_content_share_one_entry(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first, second = put(store, "a" * 40), put(store, "b" * 40)

    store.discard(first)

    assert first.entry == second.entry
    assert store.receipts() == (second,)
    assert store.damage(second) == ""


def test_a_store_can_be_moved(tmp_path: Path) -> None:
    receipt = put(Store(tmp_path / "a"))
    (tmp_path / "a").rename(tmp_path / "b")

    moved = Store(tmp_path / "b")

    assert moved.receipt(receipt.key) == receipt
    assert moved.has_digest(receipt)


def test_damage_that_keeps_size_and_date_is_found_by_hashing_only(tmp_path: Path) -> None:
    store = Store(tmp_path)
    receipt = put(store)
    path = store.entries / receipt.entry / "bin/thing"
    before = path.stat()
    path.chmod(0o755)
    path.write_text("y")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert store.damage(receipt) == ""
    assert not store.has_digest(receipt)


def test_a_damaged_entry_of_the_same_digest_is_replaced_by_a_new_commit(tmp_path: Path) -> None:
    store = Store(tmp_path)
    receipt = put(store)
    path = store.entries / receipt.entry / "bin/thing"
    path.chmod(0o755)
    path.write_text("broken")

    again = put(store)

    assert store.has_digest(again)


@pytest.mark.parametrize("torn", [b"", b"{", b"[]", b"{}", b'{"made": 1}', b'{"made": {}, "files": {}}'])
def test_a_torn_receipt_counts_as_none(tmp_path: Path, torn: bytes) -> None:
    store = Store(tmp_path)
    receipt = put(store)
    (tmp_path / "receipts" / f"{receipt.key}.json").write_bytes(torn)

    assert store.receipt(receipt.key) is None
    assert [one.kind for one in store.gc()] == ["entry"]


def test_gc_removes_what_dead_makers_left_and_keeps_the_rest(tmp_path: Path) -> None:
    store = Store(tmp_path)
    receipt = put(store)
    (tmp_path / "work/dead.1/tree").mkdir(parents=True)
    (tmp_path / "work/dead.1/tree/file").write_text("12345")
    tree.freeze(tmp_path / "work/dead.1")
    (tmp_path / "entries/stray").mkdir()
    store.downloads.mkdir()
    (store.downloads / "old.part").write_text("1234")
    (store.downloads / "new.part").write_text("1234")
    os.utime(store.downloads / "old.part", (1000, 1000))

    with store.work("alive") as alive:
        said = store.gc(dry_run=True, now=1000 + 8 * 86400)
        done = store.gc(now=1000 + 8 * 86400)

        assert alive.is_dir()
    assert said == done
    assert [(one.kind, one.path.name, one.size) for one in done] == [
        ("work", "dead.1", 5),
        ("entry", "stray", 0),
        ("download", "old.part", 4),
    ]
    assert [path.name for path in store.entries.iterdir()] == [receipt.entry]
    assert [path.name for path in store.downloads.iterdir()] == ["new.part"]
    assert store.gc(now=1000) == ()


def test_gc_of_a_store_that_does_not_exist_finds_nothing(tmp_path: Path) -> None:
    assert Store(tmp_path / "none").gc(now=0) == ()


def test_a_second_holder_of_a_lock_says_that_it_waits_and_then_goes_on(tmp_path: Path) -> None:
    store = Store(tmp_path)
    said, done = threading.Event(), threading.Event()

    def second() -> None:
        with store.locked("key", said.set):
            done.set()

    thread = threading.Thread(target=second)
    with store.locked("key"):
        thread.start()
        assert said.wait(5)
        assert not done.is_set()
    thread.join(5)

    assert done.is_set()


def test_a_work_folder_is_held_while_it_is_filled(tmp_path: Path) -> None:
    store = Store(tmp_path)

    with store.work("thing") as folder:
        handle = os.open(folder, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)

    assert not folder.exists()
