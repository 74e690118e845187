"""A rolling archive that moves on, one whose signature is nobody's, and the real closure of bitcoind."""

from __future__ import annotations

import shutil
import subprocess  # noqa: TID251 - runs what was installed
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from cartridge.artifacts import grades, lock, tree
from cartridge.artifacts.install import ensure
from cartridge.artifacts.pins import Lock
from cartridge.errors import MissingError
from cartridge.model.artifact import Artifact, DebianChannel, VersionCheck
from tests.doubles.artifact_world import DEBIAN_CHECK, PLATFORM, DebianArchive, World, artifact
from tests.doubles.file_server import FileServer
from tests.doubles.real_lock import real_lock, real_wanted

pytestmark = pytest.mark.skipif(
    any(shutil.which(program) is None for program in ("apt-get", "dpkg-deb", "gpg")),
    reason="apt-get, dpkg-deb and gpg are needed to make and read an archive",
)


class Rolling:
    """An archive on a server, and a store that knows version 1.0.0-1 of it."""

    def __init__(self, root: Path, server: FileServer, environment: pytest.MonkeyPatch) -> None:
        self.server, self.archive = server, DebianArchive(root / "archive", server.url)
        environment.setenv("APT_CONFIG", str(self.archive.apt_config))
        self.publish("1.0.0-1")
        self.world = World(root, search=None)

    def publish(self, version: str) -> None:
        self.archive.publish(version)
        self.server.files = dict(self.archive.files)

    def declared(self, moved: Literal["refuse", "signed"], check: VersionCheck = DEBIAN_CHECK) -> tuple[Artifact, Lock]:
        channel = DebianChannel(channel="debian", suite="rolling", package="thing", moved=moved)
        declaration = artifact(channel, check=check)
        pinned, _ = lock.update(Lock(), lock.Wanted({"thing": declaration}), self.world.sources)
        return declaration, pinned


@pytest.fixture
def rolling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rolling]:
    with FileServer({}) as server:
        rolling = Rolling(tmp_path, server, monkeypatch)
        yield rolling
        rolling.archive.close()


def test_the_pinned_file_is_taken_without_asking_the_index(rolling: Rolling) -> None:
    declaration, pinned = rolling.declared("signed")
    rolling.server.requests.clear()

    ensure("thing", declaration, pinned, rolling.world.sources)

    assert [path for path, _ in rolling.server.requests] == ["/debian/pool/main/t/thing/thing_1.0.0-1_amd64.deb"]


def test_a_suite_that_moved_on_is_refused_with_the_command_that_helps(rolling: Rolling) -> None:
    declaration, pinned = rolling.declared("refuse")
    rolling.publish("1.1.0-1")

    with pytest.raises(MissingError) as caught:
        ensure("thing", declaration, pinned, rolling.world.sources)

    assert caught.value.code == "artifact-unavailable"
    assert caught.value.details == ("debian: Debian rolling no longer has a pinned file of `thing`",)
    assert caught.value.resolution == "run `cartridge lock --update thing` and commit the result"
    again, _ = lock.update(pinned, lock.Wanted({"thing": declaration}), rolling.world.sources, names=["thing"])
    pin = again.artifacts["thing"].pin(PLATFORM, "debian")
    assert pin is not None
    assert pin.version == "1.1.0-1"
    assert ensure("thing", declaration, again, rolling.world.sources).channel == "debian"


def test_a_signed_successor_is_taken_with_a_warning_and_a_lower_grade(rolling: Rolling) -> None:
    declaration, pinned = rolling.declared("signed")
    rolling.publish("1.1.0-1")

    first = ensure("thing", declaration, pinned, rolling.world.sources)
    second = ensure("thing", declaration, pinned, rolling.world.sources)

    assert second == first
    note = "Debian rolling moved on; took its signed thing_1.1.0-1_amd64"
    assert rolling.world.notes() == [f"`thing`: {note}"]
    (graded,) = grades.verify({"thing": declaration}, pinned, rolling.world.sources)
    assert graded == grades.Graded(
        "artifact/thing", grades.Grade.CONFIG, f"version {first.version} from debian: {note}"
    )


def test_a_successor_out_of_the_range_is_refused(rolling: Rolling) -> None:
    check = DEBIAN_CHECK.model_copy(update={"accepts": "<1"})
    declaration, pinned = rolling.declared("signed", check)

    with pytest.raises(MissingError) as caught:
        ensure("thing", declaration, pinned, rolling.world.sources)

    assert caught.value.details[0].endswith("and <1 is wanted")


def test_an_index_that_nobody_trusted_has_signed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FileServer({}) as server:
        archive = DebianArchive(tmp_path / "archive", server.url, is_trusted=False)
        archive.publish("1.0.0-1")
        server.files = dict(archive.files)
        monkeypatch.setenv("APT_CONFIG", str(archive.apt_config))
        channel = DebianChannel(channel="debian", suite="rolling", package="thing")
        wanted = lock.Wanted({"thing": artifact(channel, check=DEBIAN_CHECK)})

        made, changes = lock.update(Lock(), wanted, World(tmp_path, search=None).sources)
        archive.close()

    assert made.artifacts["thing"].platforms == {}
    assert {(one.change, one.channel) for one in changes} == {("unpinned", "debian")}
    assert any("the index of Debian rolling cannot be had" in one.reason for one in changes)


@pytest.mark.lightning
@pytest.mark.slow
def test_bitcoind_comes_as_a_closure_that_runs_here_and_is_a_root_file_system(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    pinned, declaration = real_lock(root), real_wanted(root).artifacts["bitcoind"]
    world = World(tmp_path, search=None)
    for kind in ("path", "release", "nix"):
        declaration = without(declaration, kind)
    only, _ = lock.update(Lock(), lock.Wanted({"bitcoind": declaration}), world.sources)

    installed = ensure("bitcoind", declaration, only, world.sources)

    assert installed.channel == "debian"
    assert "bitcoind" in pinned.artifacts
    done = subprocess.run([installed.binaries["bitcoind"], "--version"], capture_output=True, text=True, check=True)
    assert installed.version in done.stdout
    assert installed.image_root is not None
    assert set(installed.image_binaries) == {"bitcoind", "bitcoin-cli"}
    assert (installed.image_root / "lib64").exists()
    assert tree.digest(installed.root) == installed.digest


def without(declaration: Artifact, kind: str) -> Artifact:
    return declaration.model_copy(
        update={"channels": tuple(one for one in declaration.channels if one.channel != kind)}
    )
