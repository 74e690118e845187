"""The typed resources of a stack in Docker, as data: a network, and for each component a volume and a container.

Names follow from the stack's id, so that whoever makes a resource again finds it. Pure; `provisioner` makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from cartridge.artifacts.installed import Installed
from cartridge.targets.copying import Content


class NetworkSpec(Struct, frozen=True):
    """A bridge network of the stack's own."""

    name: str
    labels: Mapping[str, str]


class VolumeSpec(Struct, frozen=True):
    """A component's data. Another `epoch` means other data: the old is deleted."""

    name: str
    epoch: int
    labels: Mapping[str, str]


class PortSpec(Struct, frozen=True):
    """A port in the container and, where it is published, the host port asked for (0: any free one)."""

    name: str
    inner: int
    publish: bool
    host: int = 0
    fixed: bool = False


class FileSpec(Struct, frozen=True):
    """A file put before the first start: absolute path, bytes, mode."""

    path: str
    content: bytes
    mode: int


class ContainerSpec(Struct, frozen=True):
    """A component's container.

    Attributes:
        component: its name in the stack, by which others reach it on the network.
        name: of the container.
        digest: what it is; another digest means another container on the same volume.
        programs: what its image is made of.
        command: absolute path of the program in the image, and arguments.
        environment: variables; may hold secrets.
        files: rendered ones; may hold secrets.
        ports: all of them.
        network: name of the network.
        volume: name of the volume, mounted at /data.
        stop_signal: such as `SIGTERM`.
        stop_seconds: until it is killed.
        one_shot: it is meant to end.
        labels: whose it is.
        seed: files for a fresh volume, by path relative to it; called at most once a volume.
        hold: the program that keeps its own from running until it is released; empty where that runs at once.
    """

    component: str
    name: str
    digest: str
    programs: Installed
    command: tuple[str, ...]
    environment: Mapping[str, str]
    files: tuple[FileSpec, ...]
    ports: tuple[PortSpec, ...]
    network: str
    volume: str
    stop_signal: str
    stop_seconds: int
    one_shot: bool
    labels: Mapping[str, str]
    seed: Callable[[], Mapping[str, Content]] | None = None
    hold: bytes = b""


def network_name(stack: str) -> str:
    """Return the name of the stack's network."""
    return f"cartridge-{stack}"


def component_name(stack: str, component: str) -> str:
    """Return the name of a component's container and of its volume."""
    return f"cartridge-{stack}-{component}"
