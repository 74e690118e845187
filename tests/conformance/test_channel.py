"""What every channel that makes something owes: the same promises, whichever way the program comes.

Each is given a real source that a test can serve: a release archive over HTTP, a Go module and a crate without
dependencies, a signed Debian archive. `nix` needs its package collection from the network and runs only where that is
reachable.
"""

from __future__ import annotations

import shutil
import socket
import subprocess  # noqa: TID251 - runs what was installed
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from cartridge.artifacts import lock, tree
from cartridge.artifacts.install import ensure
from cartridge.artifacts.pins import Lock
from cartridge.artifacts.sources import this_platform
from cartridge.errors import InputError, MissingError
from cartridge.model.artifact import Artifact, DebianChannel, NixChannel
from tests.doubles.artifact_world import (
    DEBIAN_CHECK,
    PLATFORM,
    DebianArchive,
    World,
    artifact,
    cargo_crate,
    go_module,
    release,
    tarball,
)
from tests.doubles.file_server import FileServer


@dataclass(frozen=True, slots=True)
class Case:
    """A channel with a source behind it.

    Attributes:
        world: the store for it.
        declaration: an artifact `thing` that only this channel can give.
        spoil: makes the source deliver something else than was locked.
        refusal: the code of the error that then comes.
        needs_network: whether a run without network must say so.
        has_image: whether the result is a whole root file system.
    """

    world: World
    declaration: Artifact
    spoil: Callable[[], None]
    refusal: str
    needs_network: bool = True
    has_image: bool = True

    def lock(self) -> Lock:
        """Return a lock with what the channel itself pins."""
        wanted = lock.Wanted({"thing": self.declaration})
        made, _ = lock.update(Lock(), wanted, self.world.sources)
        return made


def _release(root: Path, stack: ExitStack, _: pytest.MonkeyPatch) -> Case:
    content = tarball()
    server = stack.enter_context(FileServer({"/thing.tar.gz": content}))
    declaration = artifact(release(f"{server.url}/thing.tar.gz", content))

    def spoil() -> None:
        server.files["/thing.tar.gz"] = tarball("1.0.1")

    return Case(World(root), declaration, spoil, "artifact-digest-mismatch", has_image=False)


def _go(root: Path, _: ExitStack, __: pytest.MonkeyPatch) -> Case:
    if shutil.which("go") is None:
        pytest.skip("Go is not installed")
    world = World(root, search=None)
    declaration = artifact(go_module(world.tools))

    def spoil() -> None:
        go_module(world.tools, "1.0.1")

    return Case(world, declaration, spoil, "lock-drift", needs_network=False)


def _cargo(root: Path, _: ExitStack, __: pytest.MonkeyPatch) -> Case:
    if shutil.which("cargo") is None or this_platform() != PLATFORM:
        pytest.skip("Rust is not installed, or this is another machine")
    world = World(root, search=None)
    declaration = artifact(cargo_crate(world.tools))

    def spoil() -> None:
        cargo_crate(world.tools, "1.0.1")

    return Case(world, declaration, spoil, "lock-drift", needs_network=False, has_image=False)


def _debian(root: Path, stack: ExitStack, environment: pytest.MonkeyPatch) -> Case:
    for program in ("apt-get", "dpkg-deb", "gpg"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    server = stack.enter_context(FileServer({}))
    archive = DebianArchive(root / "archive", server.url)
    stack.callback(archive.close)
    archive.publish("1.0.0-1")
    server.files |= archive.files
    environment.setenv("APT_CONFIG", str(archive.apt_config))
    channel = DebianChannel(channel="debian", suite="rolling", package="thing")

    def spoil() -> None:
        (path,) = [path for path in server.files if path.endswith(".deb")]
        server.files[path] += b"more"

    world = World(root, search=None)
    return Case(world, artifact(channel, check=DEBIAN_CHECK), spoil, "artifact-digest-mismatch")


def _nix(root: Path, _: ExitStack, __: pytest.MonkeyPatch) -> Case:
    if shutil.which("nix-build") is None:
        pytest.skip("nix is not installed")
    try:
        socket.create_connection(("github.com", 443), timeout=2).close()
    except OSError as error:
        pytest.skip(f"nixpkgs cannot be reached: {error}")
    channel = NixChannel(channel="nix", attribute="hello", revision="fcb8fcd6bf2d0adecae5bd491afaaaf8311b758d")
    world = World(root, search=None)
    declaration = artifact(channel, check=None, binaries=("hello",))

    def spoil() -> None:
        pytest.skip("nixpkgs at a commit is always the same")

    return Case(world, declaration, spoil, "", has_image=False)


CASES = {"release": _release, "go": _go, "cargo": _cargo, "debian": _debian, "nix": _nix}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    with ExitStack() as stack:
        yield CASES[request.param](tmp_path, stack, monkeypatch)


def test_what_it_pins_can_be_installed_and_runs(case: Case) -> None:
    installed = ensure("thing", case.declaration, case.lock(), case.world.sources)

    (binary,) = installed.binaries.values()
    done = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    assert installed.version in done.stdout + done.stderr
    assert installed.digest == tree.digest(installed.root)
    assert {path.stat().st_mode & 0o222 for path in installed.root.rglob("*") if not path.is_symlink()} == {0}


def test_an_image_can_be_made_of_it(case: Case) -> None:
    installed = ensure("thing", case.declaration, case.lock(), case.world.sources, for_image=True)

    assert (installed.image_root is not None) is case.has_image
    if installed.image_root is not None:
        inside = {name: installed.image_root / path.lstrip("/") for name, path in installed.image_binaries.items()}
        assert set(inside) == set(case.declaration.binaries)
        assert all(path.is_file() for path in inside.values())


def test_asking_again_makes_nothing(case: Case) -> None:
    pinned = case.lock()
    first = ensure("thing", case.declaration, pinned, case.world.sources)
    case.world.entries.clear()

    assert ensure("thing", case.declaration, pinned, replace(case.world.sources, offline=True)) == first
    assert case.world.entries == []


def test_making_it_twice_gives_the_same_digest(case: Case) -> None:
    pinned = case.lock()
    first = ensure("thing", case.declaration, pinned, case.world.sources)
    (receipt,) = [one for one in case.world.store.receipts() if one.artifact == "thing"]
    case.world.store.discard(receipt)

    second = ensure("thing", case.declaration, pinned, case.world.sources)

    assert second == first


def test_other_bytes_than_the_pinned_ones_are_refused_and_leave_nothing(case: Case) -> None:
    pinned = case.lock()
    case.spoil()

    with pytest.raises((InputError, MissingError)) as caught:
        ensure("thing", case.declaration, pinned, case.world.sources)

    assert caught.value.code == case.refusal
    assert case.world.store.receipts() == ()
    assert case.world.store.gc() == ()


def test_offline_it_says_that_it_needs_the_network(case: Case) -> None:
    pinned = case.lock()
    sources = replace(case.world.sources, offline=True)
    if not case.needs_network:
        assert ensure("thing", case.declaration, pinned, sources).artifact == "thing"
        return

    with pytest.raises(MissingError) as caught:
        ensure("thing", case.declaration, pinned, sources)

    (reason,) = caught.value.details
    assert "needs the network" in reason


def test_pinning_again_changes_nothing(case: Case) -> None:
    pinned = case.lock()

    again, changes = lock.update(pinned, lock.Wanted({"thing": case.declaration}), case.world.sources)

    assert again == pinned
    assert {change.change for change in changes} <= {"kept", "unpinned"}
