from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cartridge.artifacts import hashing, tree
from tests.doubles.artifact_world import tarball
from tests.doubles.file_server import FileServer

needs_nix = pytest.mark.skipif(shutil.which("nix-prefetch-url") is None, reason="nix is not installed")


@needs_nix
def test_nix_and_we_give_the_same_sri_for_a_file(tmp_path: Path) -> None:
    archive = tmp_path / "thing.tar.gz"
    archive.write_bytes(tarball())

    through_nix = hashing.prefetched_sri(archive.as_uri())

    assert through_nix == tree.sri(tree.file_digest(archive))
    assert hashing.archive_sri(archive) == hashing.archive_sri(archive, search="") == through_nix


@needs_nix
def test_nix_and_we_give_the_same_sri_for_a_url(tmp_path: Path) -> None:
    archive = tmp_path / "thing.tar.gz"
    archive.write_bytes(tarball())
    with FileServer({"/thing.tar.gz": archive.read_bytes()}) as server:
        assert hashing.prefetched_sri(f"{server.url}/thing.tar.gz") == hashing.archive_sri(archive, search="")


@needs_nix
def test_nix_is_asked_for_what_is_not_there_and_gives_nothing(tmp_path: Path) -> None:
    assert hashing.prefetched_sri((tmp_path / "none").as_uri()) == ""


def test_a_nix_that_does_not_work_counts_as_none(tmp_path: Path) -> None:
    archive = tmp_path / "thing"
    archive.write_bytes(b"x")
    (tmp_path / "bin").mkdir()
    for name in ("nix-prefetch-url", "nix-hash"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / "bin" / name).chmod(0o755)

    assert hashing.archive_sri(archive, search=str(tmp_path / "bin")) == tree.sri(tree.file_digest(archive))
