"""Images assembled from the store's programs: the same input gives the same image id, on every machine.

One layer (sorted names, zero times, root's ids but for the two folders the component writes to) and a configuration
with a fixed date, handed over as the archive `docker load` takes. Never pulls, never runs anything to build.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from msgspec import Struct

from cartridge.artifacts.installed import Installed
from cartridge.targets.docker import closure
from cartridge.targets.docker.client import refused

if TYPE_CHECKING:
    from docker import APIClient

RECIPE = "1"
"""Part of an image's name; raised when the way images are made changes."""
USER = 1000
"""User and group id of everything that runs in a container."""
DATA, CONFIG = "/data", "/config"
"""Folders a component owns: what it keeps, and its rendered files."""
PROGRAMS = "/opt/cartridge/bin"
"""Where programs go that bring no root file system of their own."""
EPOCH = "1970-01-01T00:00:00Z"
DIGEST = "cartridge.image"
"""The label with the image's digest: of its programs and of the recipe."""

_ACCOUNTS = {
    "etc/passwd": f"root:x:0:0:root:/:/sbin/nologin\ncartridge:x:{USER}:{USER}:cartridge:{DATA}:/sbin/nologin\n",
    "etc/group": f"root:x:0:\ncartridge:x:{USER}:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
_MERGED = {"bin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64", "sbin": "usr/sbin"}


class Image(Struct, frozen=True):
    """An image the Engine has: its tag and its id (`sha256:…`)."""

    tag: str
    identity: str


def tag(installed: Installed) -> str:
    """Return the name the programs' image has, made or not: `cartridge/<artifact>:<first 12 digits of its digest>`."""
    return f"cartridge/{installed.artifact}:{digest(installed)[:12]}"


def digest(installed: Installed) -> str:
    """Return the SHA-256 (hex) of what decides the image: the programs, their names, the recipe."""
    parts = [RECIPE, installed.digest, sorted(program_paths(installed).items())]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def program_paths(installed: Installed) -> Mapping[str, str]:
    """Return each program's absolute path inside the image."""
    if installed.image_root is not None:
        return installed.image_binaries
    return {name: f"{PROGRAMS}/{name}" for name in installed.binaries}


def ensure(client: APIClient, installed: Installed) -> Image:
    """Return the image of these programs, made and loaded where the Engine has none.

    Raises:
        ApplyError: `docker-refused`, `disk-full`.
        MissingError: `target-down`; `program-missing` where a library of a program is not there.
    """
    name = tag(installed)
    found = _inspect(client, name)
    if found is not None and found.digest == digest(installed):
        return Image(name, found.identity)
    with tempfile.TemporaryFile() as archive:
        identity = write_archive(installed, archive)
        archive.seek(0)
        with refused(f"load the image `{name}`"):
            for line in client.load_image(archive, quiet=True):  # type: ignore[no-untyped-call]
                _check_loaded(line, name)
    return Image(name, identity)


def write_archive(installed: Installed, archive: IO[bytes]) -> str:
    """Write the image as `docker load` takes it and return its id."""
    with tempfile.TemporaryFile() as layer:
        _write_layer(installed, layer)
        layer_digest, size = _measure(layer)
        config = json.dumps(_config(installed, layer_digest), sort_keys=True, separators=(",", ":")).encode()
        identity = hashlib.sha256(config).hexdigest()
        manifest = [
            {"Config": f"{identity}.json", "Layers": [f"{layer_digest}/layer.tar"], "RepoTags": [tag(installed)]}
        ]
        with tarfile.open(fileobj=archive, mode="w", format=tarfile.GNU_FORMAT) as outer:
            for name, body in ((f"{identity}.json", config), ("manifest.json", json.dumps(manifest).encode())):
                outer.addfile(_file(name, len(body)), io.BytesIO(body))
            outer.addfile(_file(f"{layer_digest}/layer.tar", size), layer)
    return f"sha256:{identity}"


def _config(installed: Installed, layer_digest: str) -> dict[str, object]:
    paths = program_paths(installed)
    folders = sorted({str(PurePosixPath(path).parent) for path in paths.values()})
    search = [*folders, *(folder for folder in ("/usr/bin", "/bin") if folder not in folders)]
    return {
        "architecture": closure.architecture(),
        "os": "linux",
        "created": EPOCH,
        "config": {
            "User": f"{USER}:{USER}",
            "Env": [f"PATH={':'.join(search)}", f"HOME={DATA}"],
            "Entrypoint": [next(iter(paths.values()))],
            "WorkingDir": DATA,
            "Labels": {DIGEST: digest(installed), "cartridge.artifact": installed.artifact},
        },
        "history": [{"created": EPOCH, "created_by": f"cartridge image recipe {RECIPE}"}],
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
    }


def _write_layer(installed: Installed, layer: IO[bytes]) -> None:
    entries = _entries(installed)
    with tarfile.open(fileobj=layer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name in sorted(entries):
            info, source = entries[name]
            if isinstance(source, Path):
                with source.open("rb") as content:
                    tar.addfile(info, content)
            else:
                tar.addfile(info, io.BytesIO(source))


Entry = tuple[tarfile.TarInfo, Path | bytes]


def _entries(installed: Installed) -> dict[str, Entry]:
    """Return everything in the layer by its name: the programs first, then what an image needs beside them."""
    entries = _closure(installed) if installed.image_root is None else _tree(installed.image_root)
    for name, text in _ACCOUNTS.items():
        entries[name] = (_file(name, len(text)), text.encode())
    for name, target in _MERGED.items():
        if target in entries and name not in entries:
            entries[name] = (_link(name, target), b"")
    entries["tmp"] = (_folder("tmp", 0o1777), b"")
    for name in (DATA, CONFIG):
        entries[name[1:]] = (_folder(name[1:], 0o700, USER), b"")
    parents = {str(parent) for name in entries for parent in PurePosixPath(name).parents} - {"."}
    return {parent: (_folder(parent, 0o755), b"") for parent in parents} | entries


def _tree(root: Path) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            entries[name] = (_link(name, str(path.readlink())), b"")
        elif path.is_dir():
            entries[name] = (_folder(name, 0o755), b"")
        elif path.is_file():
            entries[name] = (_file(name, path.stat().st_size, _mode(path)), path)
        # devices, sockets and pipes are the container runtime's to make
    return entries


def _closure(installed: Installed) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for program, path in installed.binaries.items():
        real = path.resolve()
        name = f"{PROGRAMS}/{program}"[1:]
        entries[name] = (_file(name, real.stat().st_size, 0o755), real)
        for wanted, found in closure.libraries(real).items():
            entries[wanted[1:]] = (_file(wanted[1:], found.stat().st_size, 0o755), found)
    return entries


def _file(name: str, size: int, mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, mode
    return info


def _folder(name: str, mode: int, owner: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.uid, info.gid = tarfile.DIRTYPE, mode, owner, owner
    return info


def _link(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = tarfile.SYMTYPE, target, 0o777
    return info


def _mode(path: Path) -> int:
    return 0o755 if path.stat().st_mode & 0o111 else 0o644


def _measure(file: IO[bytes]) -> tuple[str, int]:
    size = file.tell()
    file.seek(0)
    found = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    file.seek(0)
    return found, size


class _Found(Struct, frozen=True):
    identity: str
    digest: str


def _inspect(client: APIClient, name: str) -> _Found | None:
    from docker.errors import ImageNotFound

    with refused(f"look for the image `{name}`"):
        try:
            body = client.inspect_image(name)  # type: ignore[no-untyped-call]
        except ImageNotFound:
            return None
    return _Found(body["Id"], (body["Config"]["Labels"] or {}).get(DIGEST, ""))


def _check_loaded(line: Mapping[str, str], name: str) -> None:
    from docker.errors import DockerException

    if "error" in line:
        raise DockerException(f"{name}: {line['error']}")
