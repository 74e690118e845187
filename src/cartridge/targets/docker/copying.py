"""Copies of the data of a stack's containers, which are paused meanwhile. Passes the copiers' tests."""

from __future__ import annotations

import contextlib
import http.client
import os
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import IO, cast

from cartridge import spawn
from cartridge.clock import Clock
from cartridge.errors import ApplyError, MissingError
from cartridge.targets.copying import Ahead, Skip, copy_ahead, copy_tree, write_stream
from cartridge.targets.docker import endpoint
from cartridge.targets.docker.conditions import Inspection
from cartridge.targets.docker.deliver import SEEDED
from cartridge.targets.docker.glance import look
from cartridge.targets.docker.images import DATA
from cartridge.targets.docker.specs import component_name

_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); from cartridge.targets.docker.pausing import main; main(sys.argv[2])"
)
_SEEDED = PurePosixPath(SEEDED).relative_to(DATA)
"""The mark that a volume has its first files; each volume gets its own."""


class DockerCopier:
    """The copier of one stack.

    Args:
        stack: the stack's id.
        clock: tells what has not changed for a while.
        host: the Engine, as in `DOCKER_HOST`; None is the local default.
    """

    def __init__(self, stack: str, clock: Clock, host: str | None = None) -> None:
        self._stack, self._clock, self._host = stack, clock, host
        self._socket = endpoint.socket_path(host)
        self._seen: dict[str, Inspection] = {}
        self._folders: dict[str, Path] = {}
        self._ahead: dict[Path, Ahead] = {}
        self._pauses: spawn.Dialogue | None = None
        self._frozen: set[str] = set()

    def freeze(self, components: Sequence[str], seconds: float) -> None:
        """Have components stand still and return once they do.

        Raises:
            ApplyError: `component-not-running`.
            MissingError: `target-down`.
        """
        seen = self._look()
        for component in components:
            if component not in seen or not seen[component].is_running:
                raise ApplyError(
                    f"`{component}` does not run", code="component-not-running", resolution="start it: `cartridge up`"
                )
        if self._pauses is None:
            package = Path(__file__).resolve().parents[3]
            self._pauses = spawn.Dialogue([sys.executable, "-I", "-c", _PROGRAM, str(package), str(self._socket)])
        identities = [seen[component].identity for component in components]
        said = self._pauses.ask(f"pause {seconds} {' '.join(identities)}".encode())
        if said:
            raise ApplyError("Docker refused to pause the stack", code="docker-refused", details=(said.decode(),))
        self._frozen |= set(components)

    def thaw(self) -> frozenset[str]:
        """Let everything go on; return the components that stood still until now."""
        if self._pauses is None:
            return frozenset()
        paused = set(self._pauses.ask(b"resume").decode().split())
        self._pauses.__exit__(None, None, None)
        self._pauses = None
        return frozenset(component for component in self._frozen if self._seen[component].identity in paused)

    def prepare(self, component: str, to: Path, skip: Skip) -> None:
        """Copy ahead what seems to rest, where the volume can be read here."""
        self._look()
        if component in self._folders:
            now = self._clock.now().timestamp()
            self._ahead[to] = copy_ahead(self._folders[component], to, _with_mark(skip), now)

    def copy(self, component: str, to: Path, skip: Skip) -> None:
        """Copy a component's data folder into `to`."""
        identity = self._look()[component].identity
        if component in self._folders:
            copy_tree(self._folders[component], to, _with_mark(skip), self._ahead.pop(to, None))
            return
        with contextlib.closing(endpoint.Quick(self._socket, timeout=60.0)) as connection:
            try:
                connection.request("GET", f"/containers/{identity}/archive?path={DATA}/.")
                answer = connection.getresponse()
                if answer.status != http.HTTPStatus.OK:
                    raise ApplyError(
                        f"Docker refused to read the data of `{component}`",
                        code="docker-refused",
                        details=(answer.read().decode("utf-8", "replace").strip(),),
                    )
                _unpack(cast("IO[bytes]", answer), to, skip)
            except http.client.HTTPException as error:
                raise MissingError(
                    f"the Docker Engine broke off: {error}", code="target-down", resolution="start it and try again"
                ) from error

    def _readable(self, components: Sequence[str]) -> dict[str, Path]:
        """Return the folders of those volumes that lie on this machine and may be read: the Engine need not copy them.

        Through the Engine a copy takes some tenths of a second a component, in which its network stands still.
        """
        found = {}
        with contextlib.closing(endpoint.Quick(self._socket)) as connection:
            for component in components:
                volume = connection.get(f"/volumes/{component_name(self._stack, component)}") or {}
                folder = Path(str(volume.get("Mountpoint", "")))
                if volume.get("Driver") == "local" and os.access(folder, os.R_OK | os.X_OK):
                    found[component] = folder
        return found

    def _look(self) -> dict[str, Inspection]:
        """Return every container, those that have ended too; asked once, before anything is paused."""
        if not self._seen:
            self._seen = {seen.component: seen for seen in look(self._stack, self._host) if seen.component}
            self._folders = self._readable(tuple(self._seen))
        return self._seen


def _with_mark(skip: Skip) -> Skip:
    return lambda path: path == _SEEDED or skip(path)


def _unpack(stream: IO[bytes], to: Path, skip: Skip) -> None:
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            relative = PurePosixPath(member.name)
            if ".." in relative.parts or relative.is_absolute() or not member.isfile() or _is_left_out(relative, skip):
                continue
            content = tar.extractfile(member)
            assert content is not None
            path = to / relative
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_stream(content, path)


def _is_left_out(relative: PurePosixPath, skip: Skip) -> bool:
    if relative == _SEEDED:
        return True
    return any(skip(place) for place in (relative, *relative.parents[:-1]))
