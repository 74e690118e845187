"""Where the Docker Engine listens, and one small HTTP client for it that imports nothing heavy.

For quick looks only; everything that changes something goes through `client`. A failure to connect is told apart
here: nothing there, no permission, nobody answering.
"""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cartridge.errors import CartridgeError, MissingError
from cartridge.workspace.settings import variable

DEFAULT = "unix:///var/run/docker.sock"
API = "1.41"
"""The oldest Engine API that will do: Docker Engine 20.10."""


class Quick(http.client.HTTPConnection):
    """HTTP over the Engine's Unix socket.

    Args:
        path: the socket.
        timeout: seconds for each answer.
    """

    def __init__(self, path: Path, timeout: float = 10.0) -> None:
        super().__init__("docker", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = dial(self._path, self.timeout or 10.0)

    def get(self, path: str, **query: str) -> Any:
        """Return the JSON answer to a GET, or None where there is no such thing (404).

        Raises:
            MissingError: `target-down`, the Engine answers with an error or not at all.
        """
        address = f"{path}?{urlencode(query)}" if query else path
        try:
            self.request("GET", address)
            response = self.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise MissingError(
                f"the Docker Engine does not answer: {error}", code="target-down", resolution="start it and try again"
            ) from error
        if response.status == http.HTTPStatus.NOT_FOUND:
            return None
        if response.status != http.HTTPStatus.OK:
            raise MissingError(
                f"the Docker Engine answers {response.status} {response.reason}",
                code="target-down",
                details=(body.decode("utf-8", "replace").strip(),),
            )
        return json.loads(body)


def socket_path(host: str | None) -> Path:
    """Return the Unix socket of `host`; None is what `DOCKER_HOST` says, or the usual place.

    Raises:
        MissingError: `docker-remote`, it is reached over the network: ports published on its loopback are not ours.
    """
    host = host or variable("DOCKER_HOST") or DEFAULT
    scheme, _, place = host.partition("://")
    if scheme != "unix":
        raise MissingError(
            f"the Docker Engine `{host}` is on another machine, whose loopback cannot be reached from here",
            code="docker-remote",
            resolution="unset `DOCKER_HOST`, or set it to the `unix://` socket of an Engine on this machine",
        )
    return Path(place)


def dial(path: Path, timeout: float) -> socket.socket:
    """Return a connection to the Engine's socket.

    Raises:
        MissingError: `docker-missing` or `docker-permission`.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        raise unreachable(str(path), error) from error
    return connection


def down(error: MissingError) -> MissingError:
    """Return the error that says the same where something is there already, on an Engine that does not answer now."""
    is_away = error.code == "docker-missing"
    resolution = "start it and repeat the command; what it had is still there" if is_away else error.resolution
    return MissingError(error.brief, code="target-down", details=error.details, resolution=resolution)


def unreachable(place: str, error: OSError) -> CartridgeError:
    """Return the error that says why the Engine at `place` cannot be reached."""
    if isinstance(error, PermissionError):
        return MissingError(
            f"you may not use the Docker Engine at `{place}`",
            code="docker-permission",
            resolution="add yourself to the group that owns the socket (`docker`) and log in again",
        )
    why = "it is not there" if isinstance(error, FileNotFoundError) else str(error.strerror or error)
    return MissingError(
        f"no Docker Engine answers at `{place}`: {why}",
        code="docker-missing",
        resolution="install and start Docker Engine 20.10 or newer, or go on with `--target process`",
    )
