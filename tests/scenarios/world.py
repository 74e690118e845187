"""What a stack has left in this world: processes, containers, networks, volumes, folders, sockets, leases, locks."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.scenarios.held import Project

LABEL = "cartridge.stack"


def leftovers(project: Project, stack: str) -> list[str]:
    """Return everything of a stack that still exists, in words."""
    return sorted([*_processes(stack), *_docker(stack), *_files(project, stack)])


def processes(stack: str, component: str | None = None) -> list[psutil.Process]:
    """Return the living processes of a stack: those of one component, or all but the guardian's own."""
    found = []
    for process in psutil.process_iter():
        try:
            marks = process.environ()
        except psutil.Error:
            continue
        if marks.get("CARTRIDGE_STACK") == stack and component in (None, marks.get("CARTRIDGE_COMPONENT")):
            found.append(process)
    return found


def guardians(stack: str) -> list[psutil.Process]:
    """Return the living guardian of a stack, and what watches over it."""
    from cartridge.targets.process import marks

    found = []
    for one in marks.guardians(stack):
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(one.pid))
    return found


def children(pid: int, name: str) -> list[psutil.Process]:
    """Return the living descendants of a process whose program is called `name`."""
    found = []
    for child in psutil.Process(pid).children(recursive=True):
        try:
            if child.name() == name:
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


def kill(victims: list[psutil.Process]) -> None:
    """Kill processes at once and wait until they are dead."""
    for victim in victims:
        try:
            os.kill(victim.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    psutil.wait_procs(victims, timeout=10)


def kill_container(stack: str, component: str) -> None:
    """Kill a container at once, as a crash of its program would end it."""
    client = _client()
    if client is None:
        return
    filters = {"label": [f"{LABEL}={stack}", f"cartridge.component={component}"]}
    for container in client.containers(filters=filters):
        client.kill(container["Id"])
    client.close()


def _processes(stack: str) -> Iterator[str]:
    for process in (*processes(stack), *guardians(stack)):
        with contextlib.suppress(psutil.NoSuchProcess):  # it ends while it is looked at
            yield f"process {process.pid} {process.name()}"


def _docker(stack: str) -> Iterator[str]:
    client = _client()
    if client is None:
        return
    filters = {"label": [f"{LABEL}={stack}"]}
    for container in client.containers(all=True, filters=filters):
        yield f"container {container['Names'][0]}"
    for network in client.networks(filters=filters):
        yield f"network {network['Name']}"
    for volume in client.volumes(filters=filters)["Volumes"] or ():
        yield f"volume {volume['Name']}"
    client.close()


def _files(project: Project, stack: str) -> Iterator[str]:
    places = [
        project.folder / ".cartridge",
        *(Path(project.environment[name]) for name in ("XDG_STATE_HOME", "CARTRIDGE_RUNTIME")),
    ]
    for place in places:
        for folder, folders, names in os.walk(place):  # what goes away meanwhile is no error
            yield from (f"file {folder}/{name}" for name in (*folders, *names) if stack in name)


def _client():
    import docker

    try:
        return docker.APIClient(timeout=30)
    except docker.errors.DockerException:
        return None
