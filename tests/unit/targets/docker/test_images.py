"""Images made from programs, without an Engine."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from cartridge.artifacts.installed import Installed
from cartridge.targets.docker import closure, images


@pytest.fixture
def rooted(tmp_path: Path) -> Installed:
    root = tmp_path / "root"
    (root / "usr" / "bin").mkdir(parents=True)
    (root / "usr" / "lib").mkdir()
    (root / "usr" / "bin" / "daemon").write_bytes(b"program")
    (root / "usr" / "bin" / "daemon").chmod(0o755)
    (root / "usr" / "bin" / "again").symlink_to("daemon")
    return Installed("daemon", "1", "go", "sha256-one", root, {}, root, {"daemon": "/usr/bin/daemon"})


def written(installed: Installed) -> tuple[str, bytes]:
    archive = io.BytesIO()
    return images.write_archive(installed, archive), archive.getvalue()


def opened(raw: bytes) -> tuple[dict[str, object], dict[str, tarfile.TarInfo]]:
    with tarfile.open(fileobj=io.BytesIO(raw)) as outer:
        manifest = json.loads(outer.extractfile("manifest.json").read())  # type: ignore[union-attr]
        config = json.loads(outer.extractfile(manifest[0]["Config"]).read())  # type: ignore[union-attr]
        layer = outer.extractfile(manifest[0]["Layers"][0])
        with tarfile.open(fileobj=layer) as inner:
            return config, {member.name: member for member in inner}


def test_the_same_programs_give_the_same_bytes_whenever_they_were_written(rooted: Installed, tmp_path: Path) -> None:
    first = written(rooted)
    copy = tmp_path / "copy"
    shutil.copytree(rooted.root, copy, symlinks=True)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)

    assert written(replace(rooted, root=copy, image_root=copy)) == first


def test_another_program_is_another_image(rooted: Installed) -> None:
    other = replace(rooted, digest="sha256-two")

    assert images.tag(other) != images.tag(rooted)
    assert written(other)[0] != written(rooted)[0]


def test_an_image_runs_the_first_program_as_a_user_of_its_own(rooted: Installed) -> None:
    config, _ = opened(written(rooted)[1])

    assert config["created"] == "1970-01-01T00:00:00Z"
    assert config["config"] == {
        "User": "1000:1000",
        "Env": ["PATH=/usr/bin:/bin", "HOME=/data"],
        "Entrypoint": ["/usr/bin/daemon"],
        "WorkingDir": "/data",
        "Labels": {"cartridge.image": images.digest(rooted), "cartridge.artifact": "daemon"},
    }


def test_a_root_file_system_is_completed_with_what_every_image_needs(rooted: Installed) -> None:
    _, entries = opened(written(rooted)[1])

    looks = {name: (entry.mode, entry.uid, entry.linkname, entry.mtime) for name, entry in entries.items()}
    assert looks == {
        "bin": (0o777, 0, "usr/bin", 0),
        "config": (0o700, 1000, "", 0),
        "data": (0o700, 1000, "", 0),
        "etc": (0o755, 0, "", 0),
        "etc/group": (0o644, 0, "", 0),
        "etc/nsswitch.conf": (0o644, 0, "", 0),
        "etc/passwd": (0o644, 0, "", 0),
        "lib": (0o777, 0, "usr/lib", 0),
        "tmp": (0o1777, 0, "", 0),
        "usr": (0o755, 0, "", 0),
        "usr/bin": (0o755, 0, "", 0),
        "usr/bin/again": (0o777, 0, "daemon", 0),
        "usr/bin/daemon": (0o755, 0, "", 0),
        "usr/lib": (0o755, 0, "", 0),
    }


def test_programs_of_this_machine_bring_the_libraries_they_ask_for() -> None:
    shell = Path("/bin/sh")
    own = Installed("shell", "1", "path", "sha256-none", Path("/"), {"sh": shell}, None, {})

    _, entries = opened(written(own)[1])

    assert set(closure.libraries(shell.resolve())) <= {f"/{name}" for name in entries}
    assert entries["opt/cartridge/bin/sh"].mode == 0o755
    assert images.program_paths(own) == {"sh": "/opt/cartridge/bin/sh"}


def test_a_program_that_is_no_dynamic_one_needs_nothing(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")

    assert closure.libraries(script) == {}
