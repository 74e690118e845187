"""An attribute of nixpkgs at a pinned commit, substituted or built by the nix that is installed.

The entry holds links into nix's own store and the root that keeps them from nix's garbage collector.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from cartridge import spawn
from cartridge.artifacts import hashing
from cartridge.artifacts.channel import Job, Unserved
from cartridge.artifacts.pins import Pin
from cartridge.artifacts.receipt import Made
from cartridge.artifacts.sources import Meter
from cartridge.model.artifact import NixChannel


def make(job: Job, folder: Path, scratch: Path) -> Made:
    """Have nix realise the attribute and link its programs; see `Maker.make`."""
    program = shutil.which("nix-build", path=job.sources.search)
    if program is None:
        raise Unserved("nix is not installed")
    if job.sources.offline:
        raise Unserved("needs the network for nixpkgs, and this run is offline")
    assert isinstance(job.channel, NixChannel)
    Meter(job.sources, job.step, "").say(f"nix: {job.channel.attribute} of nixpkgs {job.channel.revision[:12]}")
    done = spawn.run(build_command(program, job.channel, job.pin, scratch / "result"))
    lines = done.stdout.split()
    if done.status or not lines:
        raise Unserved(f"nix-build ended with status {done.status}: {_last_line(done.stderr)}")
    return _link(job, Path(lines[-1]), folder)


def pin(job: Job) -> Pin:
    """Return the commit, and the digest of the unpacked nixpkgs where nix can find it out; see `Maker.pin`."""
    assert isinstance(job.channel, NixChannel)
    if job.pin.version == job.channel.revision and job.pin.source:
        return job.pin
    if job.channel.source:
        return Pin("nix", job.channel.revision, job.channel.source)
    if job.sources.offline:
        raise Unserved("needs the network for nixpkgs, and this run is offline")
    found = hashing.prefetched_sri(_url(job.channel), job.sources.search, unpack=True)
    return Pin("nix", job.channel.revision, found)


def build_command(program: str, channel: NixChannel, pin: Pin, link: Path) -> tuple[str, ...]:
    """Return the argument list that realises the attribute; `link` becomes a root of nix's garbage collector."""
    digest = f" sha256 = {json.dumps(pin.source)};" if pin.source else ""
    tarball = f"fetchTarball {{ url = {json.dumps(_url(channel))};{digest} }}"
    expression = f"import ({tarball}) {{ config = {{}}; overlays = []; }}"
    return (program, "--expr", expression, "--attr", channel.attribute, "--out-link", str(link))


def _url(channel: NixChannel) -> str:
    return f"https://github.com/NixOS/nixpkgs/archive/{channel.revision}.tar.gz"


def _link(job: Job, result: Path, folder: Path) -> Made:
    (folder / "bin").mkdir()
    for name in job.declaration.binaries:
        (folder / "bin" / name).symlink_to(result / "bin" / name)
    root = job.sources.store.root / "nix-roots" / f"{job.name}-{job.pin.version[:12]}"
    root.parent.mkdir(parents=True, exist_ok=True)
    spawn.run(["nix-store", "--realise", str(result), "--add-root", str(root), "--indirect"], check=True)
    return Made(job.pin.version[:12], {name: f"bin/{name}" for name in job.declaration.binaries})


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
