"""Small real artifacts: an archive, a Go module and a crate of our own, a signed Debian archive; and a store for them.

What is unpacked, built and run here is real; only the clock is not: waiting between two tries takes no time.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import subprocess  # noqa: TID251 - prepares what the channels are to find; `cartridge.spawn` is for the product
import tarfile
from pathlib import Path

from cartridge.artifacts.pins import Lock, Pin, Pinned, declaration_digest
from cartridge.artifacts.sources import Sources
from cartridge.artifacts.store import Store
from cartridge.journal.events import Noted
from cartridge.journal.recorder import Entry, Recorder
from cartridge.model.artifact import (
    Archive,
    Artifact,
    CargoChannel,
    Channel,
    GoChannel,
    PathChannel,
    ReleaseChannel,
    VersionCheck,
)
from tests.doubles.clock import FakeClock

PLATFORM = "linux-x86_64"
CHECK = VersionCheck(command=("--version",), pattern=r"version (\d+\.\d+\.\d+)", accepts=">=1, <2")


class World:
    """A store and what its channels draw on, below one folder; `entries` is what the journal was told."""

    def __init__(self, root: Path, *, search: str | None = "", **options: object) -> None:
        self.root, self.entries = root, list[Entry]()
        self.store = Store(root / "store")
        self.tools = root / "tools"
        self.tools.mkdir(parents=True, exist_ok=True)
        clock = FakeClock()
        recorder = Recorder(clock, None, (self.entries.append,))
        self.sources = Sources(
            self.store,
            self.tools,
            recorder,
            clock,
            search=search,
            platform=PLATFORM,
            **options,  # type: ignore[arg-type]
        )

    def notes(self) -> list[str]:
        """Return the lines that were noted for people."""
        return [entry.event.text for entry in self.entries if isinstance(entry.event, Noted)]

    def steps(self, kind: str) -> int:
        """Return how many events of a kind were recorded, such as `step-started`."""
        return len([entry for entry in self.entries if entry.event.type == kind])


def script(version: str = "1.0.0") -> bytes:
    """Return a program that tells its version."""
    return f"#!/bin/sh\necho 'thing version {version}'\n".encode()


def tarball(version: str = "1.0.0", *, padding: int = 0, names: tuple[str, ...] = ("thing",)) -> bytes:
    """Return a gzipped tar of `thing-<version>/bin/<name>` for each name, with `padding` incompressible-ish bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for name in names:
            _add(archive, f"thing-{version}/bin/{name}", script(version), 0o755)
        noise = b"".join(hashlib.sha256(str(index).encode()).digest() for index in range(padding // 32))
        _add(archive, f"thing-{version}/padding", noise, 0o644)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    archive.addfile(member, io.BytesIO(content))


def sha256(content: bytes) -> str:
    """Return the digest in hex."""
    return hashlib.sha256(content).hexdigest()


def release(url: str, content: bytes, version: str = "1.0.0") -> ReleaseChannel:
    """Return a release channel for an archive at `url` with these bytes."""
    archives = {PLATFORM: Archive(url=url, sha256=sha256(content))}
    return ReleaseChannel(channel="release", version=version, archives=archives, folder=f"thing-{version}/bin")


def artifact(
    *channels: Channel, check: VersionCheck | None = CHECK, binaries: tuple[str, ...] = ("thing",)
) -> Artifact:
    """Return an artifact that is to be had through these channels."""
    return Artifact(binaries=binaries, version=check, channels=channels)


def locked(declaration: Artifact, *pins: Pin, name: str = "thing") -> Lock:
    """Return a lock with these pins for one artifact."""
    return Lock({name: Pinned(declaration_digest(declaration), {PLATFORM: pins})})


def go_module(tools: Path, version: str = "1.0.0") -> GoChannel:
    """Write `tools/thing`, a Go module without dependencies, and return a channel that builds it."""
    folder = tools / "thing"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text("module example.test/thing\n\ngo 1.21\n")
    (folder / "main.go").write_text(f'package main\n\nfunc main() {{ println("thing version {version}") }}\n')
    return GoChannel(channel="go", module="thing", version=version, packages={"thing": "./"})


def cargo_crate(tools: Path, version: str = "1.0.0") -> CargoChannel:
    """Write `tools/thing`, a Rust crate without dependencies, and return a channel that builds it."""
    source = tools / "thing/src"
    source.mkdir(parents=True, exist_ok=True)
    crate = 'name = "thing"\nversion = "1.0.0"\n'
    (tools / "thing/Cargo.toml").write_text(f'[package]\n{crate}edition = "2021"\nrust-version = "1.70"\n')
    (tools / "thing/Cargo.lock").write_text(f"version = 3\n\n[[package]]\n{crate}")
    (source / "main.rs").write_text(f'fn main() {{\n    println!("thing version {version}");\n}}\n')
    return CargoChannel(channel="cargo", crate="thing", version=version)


PATH_CHANNEL = PathChannel(channel="path")


DEBIAN_CHECK = VersionCheck(command=("--version",), pattern=r"coreutils\) (\d+\.\d+)", accepts=">=8, <20")
"""What the program of a `DebianArchive` says: it is this machine's `cat` under another name."""

_FIELDS = "Package: thing\nVersion: {version}\nArchitecture: amd64\nMaintainer: T <t@example.test>\n"


class DebianArchive:
    """A signed Debian archive of one package whose program runs through a loader, for apt to read.

    Attributes:
        files: what a server must serve, by path below `/debian`.
        apt_config: the file to name in `APT_CONFIG`, so that this is the archive apt knows.
    """

    def __init__(self, root: Path, url: str, *, is_trusted: bool = True) -> None:
        self.root, self.url, self.files = root, url, dict[str, bytes]()
        self._home = root / "gnupg"
        self._home.mkdir(parents=True, mode=0o700)
        self._gpg("--quick-generate-key", "archive@example.test", "rsa2048", "sign", "never")
        trusted = root / "trusted"
        trusted.mkdir()
        if is_trusted:
            (trusted / "test.asc").write_bytes(self._gpg("--armor", "--export"))
        (root / "sources.list").write_text(f"deb {url}/debian/ rolling main\n")
        self.apt_config = root / "apt.conf"
        state = "".join(
            f'{key} "{root / value}";\n' for key, value in (("Dir::State", "state"), ("Dir::Cache", "cache"))
        )
        self.apt_config.write_text(
            f'{state}Dir::Etc::sourcelist "{root}/sources.list";\nDir::Etc::sourceparts "{root}/none.d";\n'
            f'Dir::Etc::TrustedParts "{trusted}";\n'
        )
        for name in ("none.d", "state", "cache"):
            (root / name).mkdir()

    def close(self) -> None:
        """End the agent that gpg has left behind."""
        subprocess.run(["gpgconf", "--homedir", str(self._home), "--kill", "all"], check=True)

    def publish(self, version: str) -> None:
        """Make `thing` of this version the only one there is."""
        self.files.clear()
        deb = self._package(version)
        path = f"pool/main/t/thing/thing_{version}_amd64.deb"
        fields = _FIELDS.format(version=version)
        index = f"{fields}Filename: {path}\nSize: {len(deb)}\nSHA256: {sha256(deb)}\nDescription: a thing\n\n".encode()
        packed = gzip.compress(index, mtime=0)
        listed = "".join(
            f" {sha256(content)} {len(content)} main/binary-amd64/{name}\n"
            for name, content in (("Packages", index), ("Packages.gz", packed))
        )
        head = (
            "Origin: Debian\nLabel: Debian\nSuite: rolling\nCodename: rolling\nArchitectures: amd64\nComponents: main\n"
        )
        text = f"{head}Date: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n{listed}"
        signed = self._gpg("--clearsign", stdin=text.encode())
        self.files |= {
            f"/debian/{path}": deb,
            "/debian/dists/rolling/InRelease": signed,
            "/debian/dists/rolling/main/binary-amd64/Packages": index,
            "/debian/dists/rolling/main/binary-amd64/Packages.gz": packed,
        }

    def _package(self, version: str) -> bytes:
        tree = self.root / f"tree-{version}"
        libraries = tree / "usr/lib/x86_64-linux-gnu"
        libraries.mkdir(parents=True)
        for library in ("ld-linux-x86-64.so.2", "libc.so.6"):
            shutil.copy(f"/lib/x86_64-linux-gnu/{library}", libraries / library)
        (tree / "usr/bin").mkdir()
        shutil.copy("/bin/cat", tree / "usr/bin/thing")
        (tree / "usr/share/doc/thing").mkdir(parents=True)
        (tree / "usr/share/doc/thing/copyright").write_text("free")
        (tree / "DEBIAN").mkdir()
        (tree / "DEBIAN/control").write_text(_FIELDS.format(version=version) + "Description: a thing\n")
        deb = self.root / f"thing-{version}.deb"
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(deb)], check=True, capture_output=True
        )
        return deb.read_bytes()

    def _gpg(self, *arguments: str, stdin: bytes = b"") -> bytes:
        command = [
            "gpg",
            "--homedir",
            str(self._home),
            "--batch",
            "--yes",
            "--passphrase",
            "",
            "--pinentry-mode",
            "loopback",
        ]
        return subprocess.run([*command, *arguments], input=stdin, check=True, capture_output=True).stdout
