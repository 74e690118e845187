"""A Debian package and all it depends on, unpacked into a folder that is a root file system of its own.

The pinned files are taken straight from the archive and checked against the lock; when a rolling suite has dropped
one, `moved: refuse` gives up and `moved: signed` takes what the archive's signed index names now, and says so.
Programs run through the closure's own loader, so a machine with an older C library can run them. No root needed.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from cartridge import spawn
from cartridge.artifacts import tree
from cartridge.artifacts.channel import Job, Unserved
from cartridge.artifacts.channels import apt
from cartridge.artifacts.fetch import Fetcher
from cartridge.artifacts.pins import Pin
from cartridge.artifacts.receipt import Made
from cartridge.artifacts.sources import Meter
from cartridge.model.artifact import DebianChannel

_UNUSED = (
    "bash-completion",
    "bug",
    "doc",
    "fish",
    "gdb",
    "icons",
    "info",
    "lintian",
    "locale",
    "man",
    "pixmaps",
    "zsh",
)
"""Folders of usr/share that no program reads at run time here."""

_LAUNCHER = """\
#!/bin/sh
root="${{0%/*}}/../root"
exec "$root/{loader}" --library-path "$root/{libraries}" "$root/{program}" "$@"
"""


def make(job: Job, folder: Path, scratch: Path) -> Made:
    """Fetch the closure, unpack it, write launchers; see `Maker.make`."""
    assert isinstance(job.channel, DebianChannel)
    if job.platform not in apt.ARCHITECTURES:
        raise Unserved(f"Debian has nothing for {job.platform}", is_by_nature=True)
    if shutil.which("dpkg-deb", path=job.sources.search) is None:
        raise Unserved("`dpkg-deb` is not installed")
    if job.sources.offline:
        raise Unserved(f"needs the network for Debian {job.channel.suite}, and this run is offline")
    root = folder / "root"
    closure, note = _bring(job, job.channel, scratch, root)
    programs = _programs(job, root)
    _launchers(programs, root, folder / "bin")
    return Made(
        version=_upstream(_version(job.channel, closure.packages)),
        binaries={name: f"bin/{name}" for name in programs},
        image="root",
        image_binaries={name: f"/{path}" for name, path in programs.items()},
        is_exact=not note,
        note=note,
    )


def pin(job: Job) -> Pin:
    """Return every file of the closure as the signed index has it now; see `Maker.pin`."""
    assert isinstance(job.channel, DebianChannel)
    with job.sources.store.work("apt") as scratch:
        closure = apt.resolve(job.channel.package, job.channel.suite, job.platform, job.sources, scratch)
    return Pin("debian", _version(job.channel, closure.packages), packages=closure.packages)


def _bring(job: Job, channel: DebianChannel, scratch: Path, root: Path) -> tuple[apt.Closure, str]:
    """Unpack the pinned closure into `root`, or its successor where the suite has moved on and that will do."""
    closure, note = apt.Closure(apt.archive_address(job.sources), job.pin.packages), ""
    try:
        _fetch_and_unpack(job, closure, scratch, root)
    except Unserved as error:
        if error.status != 404:
            raise
        closure, note = _successor(job, channel, scratch)
        _fetch_and_unpack(job, closure, scratch, root)
    return closure, note


def _successor(job: Job, channel: DebianChannel, scratch: Path) -> tuple[apt.Closure, str]:
    if channel.moved == "refuse":
        raise Unserved(
            f"Debian {channel.suite} no longer has a pinned file of `{channel.package}`",
            resolution=f"run `cartridge lock --update {job.name}` and commit the result",
        )
    closure = apt.resolve(channel.package, channel.suite, job.platform, job.sources, scratch)
    moved = sorted(set(closure.packages) - set(job.pin.packages))
    note = f"Debian {channel.suite} moved on; took its signed {', '.join(Path(path).stem for path in moved)}"
    job.sources.recorder.note(f"`{job.name}`: {note}", level="warning")
    return closure, note


def _fetch_and_unpack(job: Job, closure: apt.Closure, scratch: Path, root: Path) -> None:
    fetcher = Fetcher(job.sources)
    files = _fetch(job, fetcher, closure, scratch)
    meter = Meter(job.sources, job.step, "packages")
    for count, file in enumerate(files, 1):
        spawn.run(["dpkg-deb", "--extract", str(file), str(root)], check=True)
        meter.show(count, len(files), "unpacking")
    fetcher.forget()
    for name in _UNUSED:
        tree.remove(root / "usr/share" / name)
    for name in ("bin", "lib", "lib64", "sbin"):
        link = root / name
        if not link.exists() and (root / "usr" / name).is_dir():
            link.symlink_to(f"usr/{name}")


def _fetch(job: Job, fetcher: Fetcher, closure: apt.Closure, scratch: Path) -> list[Path]:
    meter, wanted = Meter(job.sources, job.step, "packages"), closure.packages.items()
    with ThreadPoolExecutor(max_workers=4) as workers:
        under_way = [workers.submit(fetcher.fetch, closure.archive + quote(path), sri, scratch) for path, sri in wanted]
        try:
            for count, one in enumerate(under_way):
                meter.show(count, len(under_way), "fetching")
                one.result()
        except BaseException:
            fetcher.give_up()
            workers.shutdown(cancel_futures=True)
            raise
    return [one.result() for one in under_way]


def _programs(job: Job, root: Path) -> dict[str, str]:
    found = {}
    for name in job.declaration.binaries:
        for place in ("usr/bin", "usr/sbin", "usr/games"):
            if (root / place / name).is_file():
                found[name] = f"{place}/{name}"
                break
    return found


def _launchers(programs: Mapping[str, str], root: Path, folder: Path) -> None:
    loaders = sorted(root.glob("usr/lib/*/ld-linux*.so.*"))
    if not loaders:
        raise Unserved("its closure holds no loader (`ld-linux`)")
    loader = loaders[0].relative_to(root)
    folder.mkdir()
    for name, program in programs.items():
        path = folder / name
        path.write_text(_LAUNCHER.format(loader=loader, libraries=loader.parent, program=program))
        path.chmod(0o755)


def _version(channel: DebianChannel, packages: Mapping[str, str]) -> str:
    """Return the Debian version of the package itself, without its epoch, from its file's name; "" for none."""
    named = f"/{channel.package}_"
    return next((path.rpartition(named)[2].split("_")[0] for path in packages if named in path), "")


def _upstream(version: str) -> str:
    """Return the upstream part of a Debian version."""
    return version.rsplit("-", 1)[0]
