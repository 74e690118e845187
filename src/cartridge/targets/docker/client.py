"""The one way to a Docker Engine that changes things: the Docker SDK's low-level client, connected and checked.

Errors of the SDK are told in our words by `refused`; nothing of ours catches them elsewhere. Imports the SDK late:
it costs more than a whole `cartridge ps`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cartridge.errors import ApplyError, MissingError
from cartridge.targets.docker import endpoint

if TYPE_CHECKING:
    from docker import APIClient

POOL = 64
"""Connections kept; one for each component that is being made at a time."""


def connect(host: str | None = None, timeout: float = 120.0) -> APIClient:
    """Return a client of the Engine at `host`; None is what `DOCKER_HOST` says, or the usual place.

    Args:
        host: `unix://…`, as in `DOCKER_HOST`.
        timeout: seconds for one answer.

    Raises:
        MissingError: `docker-missing`, `docker-permission`, `docker-remote` or `docker-too-old`.
    """
    path = endpoint.socket_path(host)
    endpoint.dial(path, 5.0).close()
    import docker
    from docker.errors import DockerException

    try:
        client = docker.APIClient(base_url=f"unix://{path}", version="auto", timeout=int(timeout), max_pool_size=POOL)
    except DockerException as error:
        raise MissingError(
            f"no Docker Engine answers at `{path}`",
            code="docker-missing",
            details=(str(error),),
            resolution="install and start Docker Engine 20.10 or newer, or go on with `--target process`",
        ) from error
    _check_age(client.api_version)
    return client


def _check_age(version: str) -> None:
    wanted = tuple(int(part) for part in endpoint.API.split("."))
    if tuple(int(part) for part in version.split(".")) < wanted:
        raise MissingError(
            f"this Docker Engine speaks API {version}; {endpoint.API} or newer is needed",
            code="docker-too-old",
            resolution="upgrade to Docker Engine 20.10 or newer",
        )


@contextlib.contextmanager
def refused(doing: str) -> Iterator[None]:
    """Tell the SDK's errors in our words.

    Args:
        doing: completes "Docker refused to …".

    Raises:
        ApplyError: `docker-refused`, `disk-full`.
        MissingError: `target-down`, the connection broke.
    """
    from docker.errors import APIError, DockerException
    from requests.exceptions import ConnectionError as BrokenError
    from requests.exceptions import Timeout

    try:
        yield
    except APIError as error:
        said = str(error.explanation or error).strip()
        if "no space left on device" in said:
            raise ApplyError(
                f"the Docker Engine's disk is full: it could not {doing}",
                code="disk-full",
                details=(said,),
                resolution="make room: `docker system df` shows what takes it, `cartridge gc` removes our leftovers",
            ) from error
        raise ApplyError(f"Docker refused to {doing}", code="docker-refused", details=(said,)) from error
    except (DockerException, BrokenError, Timeout) as error:
        raise MissingError(
            f"the Docker Engine went away: it could not {doing}",
            code="target-down",
            details=(str(error),),
            resolution="start it again and repeat the command; nothing has to be cleaned up",
        ) from error
