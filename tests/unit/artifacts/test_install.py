"""Which channel serves, what is said when none does, and what a warm start costs."""

from __future__ import annotations

import subprocess  # noqa: TID251 - runs what was installed
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from cartridge.artifacts import tree
from cartridge.artifacts.install import ensure, ensure_all
from cartridge.artifacts.pins import Lock, Pin
from cartridge.errors import InputError, MissingError
from cartridge.journal.events import Ending, StepEnded
from cartridge.model.artifact import DebianChannel, NixChannel
from tests.doubles.artifact_world import PATH_CHANNEL, World, artifact, locked, release, script, sha256, tarball
from tests.doubles.file_server import FileServer

ARCHIVE = tarball()
PIN = Pin("release", "1.0.0", tree.sri_from_hex(sha256(ARCHIVE)))


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer({"/thing.tar.gz": ARCHIVE}) as server:
        yield server


def on_path(root: Path, version: str) -> str:
    root.mkdir()
    (root / "thing").write_bytes(script(version))
    (root / "thing").chmod(0o755)
    return str(root)


def test_what_is_fetched_runs_and_is_told_apart_by_digest(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path)
    declaration = artifact(release(f"{server.url}/thing.tar.gz", ARCHIVE))

    installed = ensure("thing", declaration, locked(declaration, PIN), world.sources)

    assert (installed.artifact, installed.version, installed.channel) == ("thing", "1.0.0", "release")
    assert installed.digest == tree.digest(installed.root)
    assert (installed.image_root, installed.image_binaries) == (None, {})
    ran = subprocess.run([installed.binaries["thing"]], capture_output=True, check=True)
    assert ran.stdout == b"thing version 1.0.0\n"
    (ended,) = [entry.event for entry in world.entries if isinstance(entry.event, StepEnded)]
    assert ended == StepEnded("artifact/thing", Ending.DONE, "1.0.0 from release")


def test_the_second_time_it_comes_from_the_store_without_a_word(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path)
    declaration = artifact(release(f"{server.url}/thing.tar.gz", ARCHIVE))
    first = ensure("thing", declaration, locked(declaration, PIN), world.sources)
    world.entries.clear()

    second = ensure("thing", declaration, locked(declaration, PIN), replace(world.sources, offline=True))

    assert second == first
    assert world.entries == []
    assert len(server.requests) == 1


def test_a_program_on_path_with_a_fitting_version_comes_first(tmp_path: Path) -> None:
    world = World(tmp_path, search=on_path(tmp_path / "bin", "1.9.0"))
    declaration = artifact(PATH_CHANNEL)

    installed = ensure("thing", declaration, locked(declaration), world.sources)

    assert (installed.channel, installed.version) == ("path", "1.9.0")
    assert installed.binaries == {"thing": tmp_path / "bin/thing"}


def test_a_program_on_path_is_asked_for_its_version_once(tmp_path: Path) -> None:
    counted = b"#!/bin/sh\necho x >> \"$0.asked\"\necho 'thing version 1.9.0'\n"
    world = World(tmp_path, search=on_path(tmp_path / "bin", "1.9.0"))
    (tmp_path / "bin/thing").write_bytes(counted)
    declaration = artifact(PATH_CHANNEL)

    seen = {ensure("thing", declaration, locked(declaration), world.sources).digest for _ in range(3)}
    (tmp_path / "bin/thing").write_bytes(counted + b"\n")
    seen.add(ensure("thing", declaration, locked(declaration), world.sources).digest)

    assert (tmp_path / "bin/thing.asked").read_text() == "x\nx\n"
    assert len(seen) == 2


def test_a_program_on_path_of_another_version_is_passed_over(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path, search=on_path(tmp_path / "bin", "2.0.0"))
    declaration = artifact(PATH_CHANNEL, release(f"{server.url}/thing.tar.gz", ARCHIVE))

    assert ensure("thing", declaration, locked(declaration, PIN), world.sources).channel == "release"


def test_for_an_image_path_is_never_asked(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path, search=on_path(tmp_path / "bin", "1.9.0"))
    declaration = artifact(PATH_CHANNEL, release(f"{server.url}/thing.tar.gz", ARCHIVE))

    installed = ensure("thing", declaration, locked(declaration, PIN), world.sources, for_image=True)

    assert installed.channel == "release"


def test_the_store_comes_before_a_channel_that_is_written_earlier(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path)
    url = f"{server.url}/thing.tar.gz"
    nix = NixChannel(channel="nix", attribute="thing", revision="0" * 40)
    declaration = artifact(nix, release(url, ARCHIVE))
    lock = locked(declaration, Pin("nix", "0" * 40), PIN)
    first = ensure("thing", declaration, lock, world.sources)
    world.entries.clear()

    assert ensure("thing", declaration, lock, world.sources) == first
    assert world.entries == []


def test_when_nothing_serves_every_way_says_why(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path, search=on_path(tmp_path / "bin", "2.0.0"))
    debian = DebianChannel(channel="debian", suite="sid", package="thing")
    nix = NixChannel(channel="nix", attribute="thing", revision="0" * 40)
    declaration = artifact(PATH_CHANNEL, release(f"{server.url}/none", ARCHIVE), debian, nix)

    with pytest.raises(MissingError) as caught:
        ensure("thing", declaration, locked(declaration, PIN, Pin("nix", "0" * 40)), world.sources)

    error = caught.value
    assert (error.code, error.brief) == ("artifact-unavailable", "artifact `thing` cannot be had on linux-x86_64")
    assert error.details == (
        f"path: `{tmp_path}/bin/thing` is version 2.0.0, and >=1, <2 is wanted",
        f"release: the server answered 404 for `{server.url}/none`",
        "debian: `cartridge.lock` pins nothing for linux-x86_64",
        "nix: nix is not installed",
    )
    assert error.resolution == "run `cartridge lock --update thing`"


def test_wrong_bytes_end_the_search_whatever_other_channels_could_do(tmp_path: Path, server: FileServer) -> None:
    server.files["/thing.tar.gz"] = tarball("1.0.1")
    world = World(tmp_path)
    nix = NixChannel(channel="nix", attribute="thing", revision="0" * 40)
    declaration = artifact(release(f"{server.url}/thing.tar.gz", ARCHIVE), nix)

    with pytest.raises(MissingError) as caught:
        ensure("thing", declaration, locked(declaration, PIN, Pin("nix", "0" * 40)), world.sources)

    assert caught.value.code == "artifact-digest-mismatch"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (tarball("2.0.0"), "what came holds no `thing`"),
        (tarball(names=("other",)), "what came holds no `thing`"),
        (b"no archive at all", "cannot be unpacked"),
        (tarball()[:60], "cannot be unpacked"),
    ],
)
def test_an_archive_without_the_program_is_no_artifact(tmp_path: Path, content: bytes, why: str) -> None:
    world = World(tmp_path)
    source = tmp_path / "thing.tar.gz"
    source.write_bytes(content)
    declaration = artifact(release(source.as_uri(), content))
    pin = Pin("release", "1.0.0", tree.sri_from_hex(sha256(content)))

    with pytest.raises(MissingError) as caught:
        ensure("thing", declaration, locked(declaration, pin), world.sources)

    assert why in caught.value.details[0]
    assert list(world.store.receipts()) == []


def test_an_archive_that_climbs_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    import io
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../../../escaped"), io.BytesIO(b""))
    source = tmp_path / "thing.tar.gz"
    source.write_bytes(buffer.getvalue())
    declaration = artifact(release(source.as_uri(), buffer.getvalue()))
    pin = Pin("release", "1.0.0", tree.sri_from_hex(sha256(buffer.getvalue())))

    with pytest.raises(MissingError) as caught:
        ensure("thing", declaration, locked(declaration, pin), World(tmp_path / "w").sources)

    assert "cannot be unpacked" in caught.value.details[0]
    assert list(tmp_path.rglob("escaped")) == []


def test_damage_is_noted_and_mended(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path)
    declaration = artifact(release(f"{server.url}/thing.tar.gz", ARCHIVE))
    lock = locked(declaration, PIN)
    first = ensure("thing", declaration, lock, world.sources)
    first.binaries["thing"].chmod(0o755)
    first.binaries["thing"].write_text("broken")

    second = ensure("thing", declaration, lock, world.sources)

    assert second == first
    assert tree.digest(second.root) == second.digest
    (note,) = world.notes()
    assert note.startswith("`thing`: the store's copy is damaged: `thing-1.0.0/bin/thing` has 6 bytes instead of")


def test_damage_that_cannot_be_mended_is_refused(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path)
    declaration = artifact(release(f"{server.url}/thing.tar.gz", ARCHIVE))
    lock = locked(declaration, PIN)
    first = ensure("thing", declaration, lock, world.sources)
    first.binaries["thing"].unlink() if first.binaries["thing"].parent.chmod(0o755) is None else None

    with pytest.raises(MissingError) as caught:
        ensure("thing", declaration, lock, replace(world.sources, offline=True))

    assert caught.value.code == "artifact-digest-mismatch"
    assert caught.value.details == (
        "the store's copy is damaged: `thing-1.0.0/bin/thing` is gone",
        f"release: needs the network for `{server.url}/thing.tar.gz`, and this run is offline",
    )


def test_what_the_lock_does_not_know_or_knows_otherwise_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path, search=on_path(tmp_path / "bin", "1.9.0"))
    declaration = artifact(PATH_CHANNEL)

    with pytest.raises(InputError) as unknown:
        ensure("thing", declaration, Lock(), world.sources)
    with pytest.raises(InputError) as other:
        ensure("thing", declaration, locked(artifact(PATH_CHANNEL, check=None)), world.sources)

    assert (unknown.value.code, other.value.code) == ("lock-drift", "lock-drift")
    assert unknown.value.brief == "artifact `thing` is not in `cartridge.lock`"
    assert other.value.brief == "artifact `thing` was declared otherwise in `cartridge.lock`"


def test_a_mirror_serves_instead_of_the_host(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path, mirror=server.url)
    declaration = artifact(release("https://host.invalid/thing.tar.gz", ARCHIVE))

    assert ensure("thing", declaration, locked(declaration, PIN), world.sources).version == "1.0.0"


def test_several_are_had_at_once_and_the_first_failure_is_told(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path)
    good = artifact(release(f"{server.url}/thing.tar.gz", ARCHIVE))
    bad = artifact(release(f"{server.url}/none", b"other"))
    pin = Pin("release", "1.0.0", tree.sri_from_hex(sha256(b"other")))
    lock = Lock({**locked(good, PIN, name="good").artifacts, **locked(bad, pin, name="bad").artifacts})

    with pytest.raises(MissingError, match="artifact `bad` cannot be had"):
        ensure_all({"good": good, "bad": bad}, lock, world.sources)

    found = ensure_all({"good": good}, lock, replace(world.sources, offline=True))
    assert found["good"].version == "1.0.0"


def test_a_warm_start_of_four_artifacts_imports_no_http_client(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path, search=on_path(tmp_path / "bin", "2.0.0"))
    declaration = artifact(PATH_CHANNEL, release(f"{server.url}/thing.tar.gz", ARCHIVE))
    names = ["one", "two", "three", "four"]
    lock = Lock({name: locked(declaration, PIN, name=name).artifacts[name] for name in names})
    ensure_all(dict.fromkeys(names, declaration), lock, world.sources)
    program = f"""
import sys
from pathlib import Path
from cartridge.artifacts import pins
from cartridge.artifacts.install import ensure_all
from cartridge.model.artifact import Artifact
from tests.doubles.artifact_world import World
world = World(Path({str(tmp_path)!r}), search={str(tmp_path / "bin")!r}, offline=True)
declaration = Artifact.model_validate_json({declaration.model_dump_json()!r})
lock = pins.decode({pins_of(lock)!r})
ensure_all(dict.fromkeys({names!r}, declaration), lock, world.sources)
print(*[name for name in ("urllib3", "docker") if name in sys.modules])
"""

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path.cwd())

    assert done.stdout.split() == []


def pins_of(lock: Lock) -> bytes:
    from cartridge.artifacts.pins import encode

    return encode(lock)
