from __future__ import annotations

import os
from pathlib import Path

from msgspec.structs import replace

from cartridge.artifacts import grades, lock, tree
from cartridge.artifacts.grades import Grade, Graded
from cartridge.artifacts.install import ensure
from cartridge.artifacts.pins import Lock, Pin
from cartridge.artifacts.receipt import Receipt
from cartridge.model.artifact import Artifact
from tests.doubles.artifact_world import (
    PATH_CHANNEL,
    World,
    artifact,
    go_module,
    locked,
    release,
    script,
    sha256,
    tarball,
)

ARCHIVE = tarball()
PIN = Pin("release", "1.0.0", tree.sri_from_hex(sha256(ARCHIVE)))


def from_file(root: Path) -> tuple[Artifact, Lock]:
    source = root / "thing.tar.gz"
    source.write_bytes(ARCHIVE)
    declaration = artifact(PATH_CHANNEL, release(source.as_uri(), ARCHIVE))
    return declaration, locked(declaration, PIN)


def test_a_program_on_path_is_pinned_by_its_range_alone(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/thing").write_bytes(script("1.4.0"))
    (tmp_path / "bin/thing").chmod(0o755)
    world = World(tmp_path, search=str(tmp_path / "bin"))
    declaration = artifact(PATH_CHANNEL)

    (graded,) = grades.verify({"thing": declaration}, locked(declaration), world.sources)

    assert graded == Graded("artifact/thing", Grade.CONFIG, f"version 1.4.0 from PATH, `{tmp_path}/bin`")


def test_a_release_archive_is_pinned_to_its_result(tmp_path: Path) -> None:
    world = World(tmp_path)
    declaration, pinned = from_file(tmp_path)
    before = grades.verify({"thing": declaration}, pinned, world.sources)
    ensure("thing", declaration, pinned, world.sources)

    after = grades.verify({"thing": declaration}, pinned, world.sources)

    assert before == (Graded("artifact/thing", Grade.INPUTS, "pinned through release, not in the store yet"),)
    detail = "version 1.0.0 from release: unpacked from pinned files"
    assert after == (Graded("artifact/thing", Grade.BUILD, detail),)


def test_a_changed_byte_is_found_even_where_size_and_date_are_the_same(tmp_path: Path) -> None:
    world = World(tmp_path)
    declaration, pinned = from_file(tmp_path)
    binary = ensure("thing", declaration, pinned, world.sources).binaries["thing"]
    status = binary.stat()
    binary.chmod(0o755)
    binary.write_bytes(binary.read_bytes().replace(b"1.0.0", b"6.6.6"))
    os.utime(binary, ns=(status.st_atime_ns, status.st_mtime_ns))

    (graded,) = grades.verify({"thing": declaration}, pinned, world.sources)

    assert graded.grade is Grade.CONFIG
    assert graded.wrong.startswith("the store's copy is not sha256-")


def test_a_build_is_graded_by_whether_the_lock_knows_its_result(tmp_path: Path) -> None:
    world = World(tmp_path, search=None)
    declaration = artifact(go_module(world.tools))
    wanted = lock.Wanted({"thing": declaration})
    first, _ = lock.update(Lock(), wanted, world.sources)
    ensure("thing", declaration, first, world.sources)
    second, _ = lock.update(first, wanted, world.sources)
    (receipt,) = world.store.receipts()
    other = replace(second.artifacts["thing"].platforms["linux-x86_64"][0], built={receipt.made.toolchain: "sha256-x"})

    unknown, known, wrong = (
        grades.verify({"thing": declaration}, one, world.sources)[0]
        for one in (first, second, locked(declaration, other))
    )

    assert (unknown.grade, known.grade, wrong.grade) == (Grade.INPUTS, Grade.BUILD, Grade.INPUTS)
    assert wrong.wrong == f"built {receipt.digest}, and the lock says sha256-x"


def test_a_successor_that_was_taken_lowers_the_grade(tmp_path: Path) -> None:
    world = World(tmp_path)
    declaration, pinned = from_file(tmp_path)
    ensure("thing", declaration, pinned, world.sources)
    (receipt,) = world.store.receipts()
    made = replace(receipt.made, is_exact=False, note="took thing_1.1")
    moved: Receipt = replace(receipt, made=made)
    world.store.write(world.store.root / "receipts" / f"{moved.key}.json", moved.encode())

    (graded,) = grades.verify({"thing": declaration}, pinned, world.sources)

    assert graded == Graded("artifact/thing", Grade.CONFIG, "version 1.0.0 from release: took thing_1.1")


def test_inputs_are_graded_by_their_bytes() -> None:
    pinned = Lock(inputs={"a": tree.sri_from_hex("ab" * 32), "b": tree.sri_from_hex("ab" * 32)})

    first, second, third = grades.verify_inputs({"a": "ab" * 32, "b": "cd" * 32, "c": "ab" * 32}, pinned)

    assert first == Graded("input/a", Grade.INPUTS, "its bytes are pinned")
    assert (second.grade, third.grade) == (Grade.CONFIG, Grade.CONFIG)
    assert second.wrong.startswith("it is not sha256-")
    assert third.wrong == "it is not in the lock"


def test_the_whole_is_as_low_as_its_lowest_part() -> None:
    assert grades.lowest([Grade.BUILD, Grade.CONFIG, Grade.INPUTS]) is Grade.CONFIG
    assert grades.lowest([]) is Grade.DATA
