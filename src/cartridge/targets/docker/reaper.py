"""Finds Docker resources that nobody owns any more, by their labels alone; no state file is needed.

A resource is an orphan when its lease has run out or its stack's folder of state is gone. What another user, or a user
on another machine, has on the same Engine is never judged. Containers come before the volumes and networks they use.
Every act can be repeated.
"""

from __future__ import annotations

import datetime
import getpass
import platform
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from cartridge.targets.docker import labels
from cartridge.targets.docker.client import refused

if TYPE_CHECKING:
    from docker import APIClient


class Leftover(Struct, frozen=True):
    """A resource without an owner: `kind` is container, volume or network; `reason` completes "because"."""

    kind: str
    identity: str
    stack: str
    reason: str


class Labelled(Struct, frozen=True):
    """A resource of ours: its kind, name and labels."""

    kind: str
    identity: str
    labels: Mapping[str, str]


def find(engine: APIClient, leases: Mapping[str, str], now: datetime.datetime) -> list[Leftover]:
    """Return every orphan on the Engine.

    Args:
        engine: from `client.connect`.
        leases: by stack id, when the lease in this user's registry runs out (ISO 8601, "" for never).
        now: with a zone.

    Raises:
        ApplyError: `docker-refused`.
        MissingError: `target-down`.
    """
    return list(judge(everything(engine), leases, now, f"{getpass.getuser()}@{platform.node()}:"))


def judge(
    found: Iterable[Labelled], leases: Mapping[str, str], now: datetime.datetime, owner: str
) -> Iterator[Leftover]:
    """Yield the orphans among what was found that belongs to `owner` (`user@host:`)."""
    for one in found:
        stack = one.labels.get(labels.STACK, "")
        is_owned = one.labels.get(labels.OWNER, "").startswith(owner)
        if is_owned and (reason := _reason(one.labels, leases.get(stack), now)):
            yield Leftover(one.kind, one.identity, stack, reason)


def everything(engine: APIClient) -> Iterator[Labelled]:
    """Yield every resource any stack of ours has on the Engine."""
    chosen = labels.of_anyone()
    with refused("list what stacks have"):
        containers = engine.containers(all=True, filters=chosen)
        volumes = engine.volumes(filters=chosen)["Volumes"] or []
        networks = engine.networks(filters=chosen)
    yield from (Labelled("container", one["Names"][0].lstrip("/"), one["Labels"]) for one in containers)
    yield from (Labelled("volume", one["Name"], one["Labels"]) for one in volumes)
    yield from (Labelled("network", one["Name"], one["Labels"]) for one in networks)


def remove(engine: APIClient, leftovers: Iterable[Leftover]) -> list[Leftover]:
    """Remove the orphans, in the order given, and return those that were still there.

    Raises:
        ApplyError: `docker-refused`, somebody else's container uses one of them.
    """
    from docker.errors import NotFound

    gone = []
    for one in leftovers:
        with refused(f"remove the {one.kind} `{one.identity}`"):
            try:
                _remove(engine, one)
            except NotFound:
                continue
        gone.append(one)
    return gone


def _remove(engine: APIClient, one: Leftover) -> None:
    match one.kind:
        case "container":
            engine.remove_container(one.identity, force=True, v=False)
        case "volume":
            engine.remove_volume(one.identity, force=True)
        case _:
            engine.remove_network(one.identity)


def _reason(marks: Mapping[str, str], lease: str | None, now: datetime.datetime) -> str:
    """Return why it is an orphan, or ""; the registry's word on the lease counts before the label's, which is older."""
    expires = marks.get(labels.EXPIRES, "") if lease is None else lease
    if expires and datetime.datetime.fromisoformat(expires) <= now:
        return f"its lease ran out at {expires}"
    folder = marks.get(labels.FOLDER, "")
    if folder and not Path(folder).is_dir():
        return f"its stack's folder `{folder}` is gone"
    return ""
