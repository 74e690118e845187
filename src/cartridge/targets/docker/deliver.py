"""Puts files into a container that has not started yet, and reads files out of one. Owned by the component's user."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cartridge.errors import MissingError
from cartridge.targets.copying import Content
from cartridge.targets.copying import read as read_content
from cartridge.targets.docker.client import refused
from cartridge.targets.docker.images import CONFIG, DATA, USER
from cartridge.targets.docker.specs import FileSpec

if TYPE_CHECKING:
    from docker import APIClient

SEEDED = f"{DATA}/.cartridge-seeded"
"""Says that a volume has got its first files; written last."""
HOLD, RELEASED = f"{CONFIG}/.cartridge-hold", f"{CONFIG}/.cartridge-released"
"""The program that waits (tools/hold), and what it waits for."""


def put(client: APIClient, container: str, files: Iterable[FileSpec]) -> None:
    """Put the files there, in order, over what is there; folders are made (0700).

    Raises:
        ApplyError: `docker-refused`, `disk-full`.
    """
    with refused(f"put files into `{container}`"):
        client.put_archive(container, "/", archive(files))


def archive(files: Iterable[FileSpec]) -> bytes:
    """Return a tar of the files and the folders between them and the two roots a component owns."""
    buffer = io.BytesIO()
    made = {DATA, CONFIG}
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for file in files:
            for folder in reversed(PurePosixPath(file.path).parents[:-1]):
                if str(folder) not in made:
                    made.add(str(folder))
                    tar.addfile(_owned(str(folder)[1:], tarfile.DIRTYPE, 0o700))
            info = _owned(file.path[1:], tarfile.REGTYPE, file.mode)
            info.size = len(file.content)
            tar.addfile(info, io.BytesIO(file.content))
    return buffer.getvalue()


def seed_files(seeds: Mapping[str, Content]) -> list[FileSpec]:
    """Return a fresh volume's first files, with the mark that they are there."""
    files = [FileSpec(f"{DATA}/{path}", read_content(content), 0o600) for path, content in sorted(seeds.items())]
    return [*files, FileSpec(SEEDED, b"", 0o600)]


def exists(client: APIClient, container: str, path: str) -> bool:
    """Tell whether the container has something at `path`."""
    from docker.errors import NotFound

    with refused(f"look into `{container}`"):
        try:
            stream, _ = client.get_archive(container, path)
        except NotFound:
            return False
        for _ in stream:
            pass
        return True


def read(client: APIClient, container: str, path: str) -> bytes:
    """Return the bytes of one file.

    Raises:
        MissingError: `file-missing`, no file there.
    """
    from docker.errors import NotFound

    absolute = path if path.startswith("/") else f"{DATA}/{path}"
    with refused(f"read `{absolute}` from `{container}`"):
        try:
            stream, _ = client.get_archive(container, absolute)
            body = b"".join(stream)
        except NotFound as error:
            raise _missing(container, absolute) from error
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isfile() else None
            if content is not None and "/" not in member.name:
                return content.read()
    raise _missing(container, absolute)


def _owned(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.uid, info.gid = kind, mode, USER, USER
    return info


def _missing(container: str, path: str) -> MissingError:
    return MissingError(f"`{container}` has no file `{path}`", code="file-missing")
