"""The grip on the containers of one stack (see `targets.driver.Driver`). Looks, runs, ends, starts; decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from cartridge.clock import Clock
from cartridge.errors import MissingError
from cartridge.targets.docker import endpoint, notes
from cartridge.targets.docker.client import connect, refused
from cartridge.targets.docker.conditions import Inspection, count_start
from cartridge.targets.docker.deaths import DockerDeaths
from cartridge.targets.docker.glance import glance, look
from cartridge.targets.driver import Address, Condition, Ran

if TYPE_CHECKING:
    from docker import APIClient

    from cartridge.targets.docker import execution


class DockerDriver:
    """The driver of one stack on a Docker Engine.

    Args:
        stack: the stack's id.
        clock: what timeouts pass by.
        host: the Engine, as in `DOCKER_HOST`; None is the local default.
    """

    def __init__(self, stack: str, clock: Clock, host: str | None = None) -> None:
        self._stack, self._clock, self._host = stack, clock, host
        self._connected: APIClient | None = None

    def conditions(self) -> Mapping[str, Condition]:
        """Return a look at every component that has a container, by name."""
        return glance(self._stack, self._host)

    def deaths(self) -> DockerDeaths:
        """Begin to watch for components that end by themselves.

        Raises:
            MissingError: `target-down`.
        """
        return DockerDeaths(self._stack, self._host)

    def address(self, component: str, port: str) -> Address:
        """Return where `port` of `component` is reached from this machine.

        Raises:
            MissingError: `component-unknown`, `port-unknown`, `target-down`.
        """
        seen = self._seen(component)
        inner, outer = seen.port_numbers.get(port, (0, 0))
        if not inner:
            raise MissingError(f"`{component}` has no port `{port}`", code="port-unknown")
        if outer:
            return Address("127.0.0.1", outer)
        return Address(self._inside(seen), inner)

    def logs(self, component: str, *, tail: int | None = None, follow: bool = False) -> Iterator[bytes]:
        """Yield the component's log as lines without their ends, oldest first."""
        identity = self._seen(component).identity
        with refused(f"read the log of `{component}`"):
            stream = self._client().logs(
                identity, stdout=True, stderr=True, stream=True, follow=follow, tail="all" if tail is None else tail
            )
        return _lines(stream)

    def run(self, component: str, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Ran:
        """Run a program in the component's container, as its user and on its PATH."""
        from cartridge.targets.docker import execution

        return execution.run(self._place(component), argv, stdin, timeout)

    def interactive(self, component: str, argv: Sequence[str]) -> int:
        """Run a program there on this terminal and return its exit status."""
        from cartridge.targets.docker import execution

        return execution.interactive(self._place(component), argv)

    def stop(self, component: str, *, within: int | None = None) -> None:
        """End the component as its `stop` says, or within so many seconds, and return when it has ended."""
        seen = self._seen(component)
        if not seen.is_running:
            return
        note = notes.read(seen.labels, seen.identity)
        notes.write(seen.labels, replace(note, stopped=seen.started))
        with refused(f"stop `{component}`"):
            self._client().stop(seen.identity, timeout=within)

    def kill(self, component: str) -> None:
        """End the component by SIGKILL."""
        seen = self._seen(component)
        if seen.is_running:
            with refused(f"kill `{component}`"):
                self._client().kill(seen.identity)

    def start(self, component: str) -> None:
        """Start a stopped, done or failed component again on the same data and ports.

        Raises:
            ApplyError: `docker-refused`, such as when another program has taken its port.
        """
        seen = self._seen(component)
        if not seen.is_running:
            with refused(f"start `{component}`"):
                self._client().start(seen.identity)
            count_start(seen)

    def read(self, component: str, path: str) -> bytes:
        """Return the bytes of a file; a relative path is taken from the data folder."""
        from cartridge.targets.docker import deliver

        return deliver.read(self._client(), self._seen(component).identity, path)

    def data_folder(self, component: str) -> Path | None:
        """Return None: a volume has no path that this program may rely on."""
        self._seen(component)
        return None

    def _seen(self, component: str) -> Inspection:
        for seen in look(self._stack, self._host):
            if seen.component == component:
                return seen
        raise MissingError(
            f"`{self._stack}` has no component `{component}`",
            code="component-unknown",
            resolution="`cartridge ps` lists them",
        )

    def _place(self, component: str) -> execution.Place:
        from cartridge.targets.docker import execution

        path = endpoint.socket_path(self._host)
        return execution.Place(self._client(), path, self._seen(component).identity, self._clock)

    def _inside(self, seen: Inspection) -> str:
        with refused(f"look at `{seen.component}`"):
            found = self._client().inspect_container(seen.identity)
        for network in found["NetworkSettings"]["Networks"].values():
            if network["IPAddress"]:
                return str(network["IPAddress"])
        raise MissingError(
            f"`{seen.component}` has no address", code="component-not-running", resolution="start it: `cartridge up`"
        )

    def _client(self) -> APIClient:
        if self._connected is None:
            try:
                self._connected = connect(self._host)
            except MissingError as error:
                raise endpoint.down(error) from error
        return self._connected


def _lines(stream: Iterator[bytes]) -> Iterator[bytes]:
    """Yield whole lines from chunks that end anywhere."""
    rest = b""
    for chunk in stream:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest
