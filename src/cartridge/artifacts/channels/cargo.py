"""Programs built from a Rust crate of ours, whose Cargo.lock pins every crate it needs to the byte.

Built with this machine's toolchain and libraries, for this machine alone; an image is made from the closure of what
comes out. No path of this machine gets into the program, so one toolchain gives one result wherever it runs. What is
compiled stays until the build has ended well, so that an interrupted one goes on where it was. Needs cargo on PATH.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from cartridge import spawn
from cartridge.artifacts import building, tree, versions
from cartridge.artifacts.channel import Job, Unserved
from cartridge.artifacts.pins import Pin
from cartridge.artifacts.receipt import Made
from cartridge.artifacts.sources import Meter, this_platform
from cartridge.errors import InputError
from cartridge.model.artifact import CargoChannel

_COMPILING = re.compile(r"^\s+Compiling (\S+ v\S+)")
_SOURCES = (".cargo/config.toml", "build.rs", "Cargo.lock", "Cargo.toml", "rust-toolchain.toml")
_FOREIGN = ("CARGO_BUILD_RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_ENCODED_RUSTFLAGS")
"""What would decide the result if it were set here."""


class Toolchain(Struct, frozen=True):
    """A cargo that may be used: how to call it, and its name such as `rust1.95.0`."""

    program: tuple[str, ...]
    name: str


def make(job: Job, folder: Path, scratch: Path) -> Made:
    """Build every program of the crate; see `Maker.make`."""
    del scratch
    channel = _declared(job)
    crate = job.sources.tools / channel.crate
    if sources_digest(crate) != job.pin.source:
        raise InputError(
            f"`tools/{channel.crate}` is not what `cartridge.lock` pins",
            code="lock-drift",
            resolution=f"run `cartridge lock --update {job.name}` and commit the result",
        )
    if job.platform != this_platform():
        raise Unserved(f"it builds for {this_platform()} here, and {job.platform} is wanted", is_by_nature=True)
    cargo = toolchain(job, crate)
    note = job.sources.recorder.note
    with job.sources.store.locked("build", lambda: note(f"`{job.name}` is built after what is being built now")):
        target = job.sources.store.builds / channel.crate
        _build(job, cargo, crate, target)
        (folder / "bin").mkdir()
        for name in job.declaration.binaries:
            if (target / "release" / name).is_file():
                shutil.copy(target / "release" / name, folder / "bin" / name)
        tree.remove(target)
    return Made(
        version=channel.version,
        binaries={name: f"bin/{name}" for name in job.declaration.binaries},
        toolchain=cargo.name,
    )


def pin(job: Job) -> Pin:
    """Return the digest of the crate and its Cargo.lock; results recorded before stay if it is the same."""
    channel = _declared(job)
    source = sources_digest(job.sources.tools / channel.crate)
    is_same = job.pin.source == source and job.pin.version == channel.version
    return Pin("cargo", channel.version, source, built=job.pin.built if is_same else {})


def sources_digest(crate: Path) -> str:
    """Return the SRI of what decides a build: cargo's own settings, Cargo.toml, Cargo.lock, and our sources."""
    if not (crate / "Cargo.lock").is_file():
        raise Unserved(f"`tools/{crate.name}` holds no Cargo.lock")
    own = [*(crate / name for name in _SOURCES), *sorted((crate / "src").rglob("*.rs"))]
    try:
        lines = [f"{one.relative_to(crate).as_posix()} {tree.file_digest(one).hex()}" for one in own if one.exists()]
    except OSError as error:
        raise Unserved(f"`{crate}` cannot be read: {error.strerror}") from error
    return tree.sri(hashlib.sha256("\n".join(lines).encode()).digest())


def toolchain(job: Job, crate: Path) -> Toolchain:
    """Return the cargo on PATH where it is as new as Cargo.toml wants.

    Raises:
        Unserved: there is none.
    """
    wanted = re.search(r'^rust-version = "([\d.]+)"', (crate / "Cargo.toml").read_text("utf-8"), re.MULTILINE)
    least = wanted[1] if wanted else "1.85"
    where = shutil.which("cargo", path=job.sources.search)
    help_is = f"install Rust {least} or newer"
    if where is None:
        raise Unserved(f"`cargo` is not on PATH and Rust {least} is needed", resolution=help_is)
    for program in _callable(Path(where)):
        found = re.search(r"\bcargo (\d+\.\d+\.\d+)", spawn.run([*program, "--version"], cwd=crate).stdout)
        if found and versions.accepts(f">={least}", found[1]):
            return Toolchain(program, f"rust{found[1]}")
    raise Unserved(f"`cargo` at `{where}` is too old and Rust {least} is needed", resolution=help_is)


def _callable(cargo: Path) -> Iterator[tuple[str, ...]]:
    """Yield the ways to call a cargo: as it is, and with the toolchains that rustup keeps beside it.

    rustup's cargo looks for them under HOME, which need not be the one it was installed under.
    """
    yield (str(cargo),)
    beside = cargo.parent.parent.with_name(".rustup")
    if beside.is_dir():
        yield ("env", f"RUSTUP_HOME={beside}", str(cargo))


def _build(job: Job, cargo: Toolchain, crate: Path, target: Path) -> None:
    meter = Meter(job.sources, job.step, "crates")
    meter.say(f"{cargo.name}: reading crates")
    how = ["--locked", *(["--offline"] if job.sources.offline else [])]
    listed = spawn.run([*cargo.program, "metadata", "--format-version=1", *how], cwd=crate)
    if listed.status:
        short = "this run is offline, and " if job.sources.offline else ""
        raise Unserved(f"{short}its crates cannot be had: {building.complaint(listed.stderr)}")
    fixed = _fixed(json.loads(listed.stdout), crate, target)
    progress = building.Progress(meter, (crate / "Cargo.lock").read_text("utf-8").count("[[package]]"), _COMPILING)
    build = [*fixed, "nice", *cargo.program, "build", "--release", *how]
    said = building.run(build, crate, job.sources, progress)
    if not (target / "release" / job.declaration.binaries[0]).is_file():
        raise Unserved(f"`cargo build` of `{job.name}` failed: {building.complaint(said)}")
    meter.show(progress.total, progress.total)


def _fixed(metadata: dict[str, list[dict[str, str]]], crate: Path, target: Path) -> list[str]:
    """Return the start of a command line with everything fixed that could change the result."""
    folders = {str(Path(one["manifest_path"]).parent.parent) for one in metadata["packages"] if one["source"]}
    moved = {**dict.fromkeys(sorted(folders), "/crates"), str(target): "/target", str(crate): "/crate"}
    rust = " ".join(f"--remap-path-prefix={old}={new}" for old, new in moved.items())
    c = " ".join(f"-ffile-prefix-map={old}={new}" for old, new in moved.items())
    variables = {
        "CARGO_INCREMENTAL": "0",
        "CARGO_TARGET_DIR": str(target),
        "CARGO_TERM_COLOR": "never",
        "CFLAGS": c,
        "RUSTFLAGS": rust,
    }
    unset = [word for name in _FOREIGN for word in ("-u", name)]
    return ["env", *unset, *(f"{name}={value}" for name, value in variables.items())]


def _declared(job: Job) -> CargoChannel:
    assert isinstance(job.channel, CargoChannel)
    return job.channel
