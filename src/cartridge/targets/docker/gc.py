"""Finds Docker resources that nobody owns any more, by their labels alone; no state file is needed.

A resource is an orphan when the lease in force has run out, or when its stack's folder of state is gone from this
machine. Resources of another machine's stacks (a shared Engine) are judged by their lease only. `remove` takes what
`find` found, containers first; both can be repeated.
"""

from __future__ import annotations

import datetime
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cartridge.targets.docker import labels
from cartridge.targets.docker.client import refused

if TYPE_CHECKING:
    from docker import APIClient


@dataclass(frozen=True, slots=True)
class Leftover:
    """A resource without an owner: `kind` is container, volume or network; `reason` completes "because"."""

    kind: str
    identity: str
    stack: str
    reason: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """A resource of ours: its kind, name and labels."""

    kind: str
    identity: str
    labels: Mapping[str, str]


def find(client: APIClient, leases: Mapping[str, str], now: datetime.datetime) -> list[Leftover]:
    """Return every orphan on the Engine: containers, then volumes, then networks.

    Args:
        client: the Engine.
        leases: by stack id, when the lease in the registry runs out (ISO 8601, "" for never).
        now: with a zone.

    Raises:
        ApplyError: `docker-refused`.
        MissingError: `target-down`.
    """
    return list(judge(everything(client), leases, now))


def judge(
    found: Iterable[Labelled], leases: Mapping[str, str], now: datetime.datetime, host: str | None = None
) -> Iterator[Leftover]:
    """Yield the orphans among what was found; `host` is this machine's name."""
    here = socket.gethostname() if host is None else host
    for one in found:
        stack = one.labels.get(labels.STACK, "")
        if reason := _reason(one.labels, leases.get(stack), now, here):
            yield Leftover(one.kind, one.identity, stack, reason)


def everything(client: APIClient) -> Iterator[Labelled]:
    """Yield every resource any stack of ours has on the Engine."""
    chosen = labels.of_anyone()
    with refused("list what stacks have"):
        containers = client.containers(all=True, filters=chosen)
        volumes = client.volumes(filters=chosen)["Volumes"] or []
        networks = client.networks(filters=chosen)
    yield from (Labelled("container", one["Names"][0].lstrip("/"), one["Labels"]) for one in containers)
    yield from (Labelled("volume", one["Name"], one["Labels"]) for one in volumes)
    yield from (Labelled("network", one["Name"], one["Labels"]) for one in networks)


def remove(client: APIClient, leftovers: Iterable[Leftover]) -> list[Leftover]:
    """Remove the orphans, in the order given, and return those that were still there.

    Raises:
        ApplyError: `docker-refused`, somebody else's container uses one of them.
    """
    from docker.errors import NotFound

    gone = []
    for one in leftovers:
        with refused(f"remove the {one.kind} `{one.identity}`"):
            try:
                _remove(client, one)
            except NotFound:
                continue
        gone.append(one)
    return gone


def _remove(client: APIClient, one: Leftover) -> None:
    match one.kind:
        case "container":
            client.remove_container(one.identity, force=True, v=False)
        case "volume":
            client.remove_volume(one.identity, force=True)
        case _:
            client.remove_network(one.identity)


def _reason(marks: Mapping[str, str], lease: str | None, now: datetime.datetime, here: str) -> str:
    expires = marks.get(labels.EXPIRES, "") if lease is None else lease
    if expires and datetime.datetime.fromisoformat(expires) <= now:
        return f"its lease ran out at {expires}"
    folder = marks.get(labels.FOLDER, "")
    is_ours = f"@{here}:" in marks.get(labels.OWNER, "")
    if folder and is_ours and not Path(folder).is_dir():
        return f"its stack's folder `{folder}` is gone"
    return ""
