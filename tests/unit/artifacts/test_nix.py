from __future__ import annotations

from pathlib import Path

import pytest

from cartridge.artifacts import lock
from cartridge.artifacts.channels import nix
from cartridge.artifacts.install import ensure
from cartridge.artifacts.pins import Lock, Pin
from cartridge.errors import MissingError
from cartridge.model.artifact import NixChannel
from tests.doubles.artifact_world import PLATFORM, World, artifact, locked

REVISION = "fcb8fcd6bf2d0adecae5bd491afaaaf8311b758d"
CHANNEL = NixChannel(channel="nix", attribute="bitcoind", revision=REVISION)


def test_the_command_names_the_commit_its_digest_and_the_attribute() -> None:
    command = nix.build_command("/bin/nix-build", CHANNEL, Pin("nix", REVISION, "sha256-abc="), Path("/s/result"))

    url = f"https://github.com/NixOS/nixpkgs/archive/{REVISION}.tar.gz"
    tarball = f'fetchTarball {{ url = "{url}"; sha256 = "sha256-abc="; }}'
    assert command == (
        "/bin/nix-build",
        "--expr",
        f"import ({tarball}) {{ config = {{}}; overlays = []; }}",
        "--attr",
        "bitcoind",
        "--out-link",
        "/s/result",
    )


def test_without_a_digest_the_commit_alone_pins() -> None:
    _, _, expression, *_ = nix.build_command("nix-build", CHANNEL, Pin("nix", REVISION), Path("r"))

    assert "sha256" not in expression


def test_a_nix_that_fails_is_a_reason_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "nix-build").write_text("#!/bin/sh\necho building >&2\necho 'error: no such attribute' >&2\nexit 1\n")
    (tmp_path / "nix-build").chmod(0o755)
    declaration = artifact(CHANNEL)

    with pytest.raises(MissingError) as caught:
        ensure(
            "thing",
            declaration,
            locked(declaration, Pin("nix", REVISION)),
            World(tmp_path, search=str(tmp_path)).sources,
        )

    assert caught.value.details == ("nix: nix-build ended with status 1: error: no such attribute",)


def test_a_declared_digest_is_pinned_as_it_is(tmp_path: Path) -> None:
    declaration = artifact(CHANNEL.model_copy(update={"source": "sha256-abc="}))

    made, _ = lock.update(Lock(), lock.Wanted({"thing": declaration}), World(tmp_path).sources)

    assert made.artifacts["thing"].pin(PLATFORM, "nix") == Pin("nix", REVISION, "sha256-abc=")
