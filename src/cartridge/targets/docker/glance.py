"""One quick look at a stack's containers: the standard library alone, a few milliseconds.

For `ps` and the `up` that has nothing to do; importing the Docker SDK would cost more than the answer is worth.
"""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from cartridge.errors import MissingError
from cartridge.targets.docker import endpoint, labels
from cartridge.targets.docker.conditions import Inspection
from cartridge.targets.driver import Condition


def glance(stack: str, host: str | None = None) -> Mapping[str, Condition]:
    """Return the condition of each component that has a container, by name.

    Args:
        stack: the stack's id.
        host: the Engine; None is the local default.

    Raises:
        MissingError: `target-down`, the Engine does not answer.
    """
    return {seen.component: seen.condition() for seen in look(stack, host) if seen.component}


def look(stack: str, host: str | None = None) -> list[Inspection]:
    """Return every container of the stack.

    Raises:
        MissingError: `target-down`.
    """
    connection = endpoint.Quick(endpoint.socket_path(host))
    try:
        listed = connection.get("/containers/json", all="1", filters=json.dumps(labels.of_stack(stack)))
        looked = [connection.get(f"/containers/{each['Id']}/json") for each in listed or ()]
        return [Inspection.of(body) for body in looked if body is not None]
    except MissingError as error:
        raise endpoint.down(error) from error
    finally:
        connection.close()


def strike(stack: str, host: str | None = None) -> None:
    """Kill every running container of the stack at once and return; what cannot be killed is left to who removes it.

    For the end of a stack, whose data goes as well: by the time the SDK is imported they are dead.
    """
    connection = endpoint.Quick(endpoint.socket_path(host))
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException, MissingError):
        listed = connection.get("/containers/json", filters=json.dumps(labels.of_stack(stack)))
        with ThreadPoolExecutor(max(1, len(listed or ()))) as pool:
            list(pool.map(lambda each: _kill(each["Id"], host), listed or ()))


def _kill(container: str, host: str | None) -> None:
    connection = endpoint.Quick(endpoint.socket_path(host))
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException, MissingError):
        connection.request("POST", f"/containers/{container}/kill")
        connection.getresponse().read()
