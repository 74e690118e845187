"""A stack as a graph of typed Docker resources, and what Pulumi is told of it. Pure.

What Pulumi sees are names and digests: commands, names of variables and paths of files, never their contents. So
neither its state nor its output can hold a secret, and the provider takes the bodies from the graph itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from cartridge.deploy.engine import Lease, Wanted
from cartridge.targets.docker import images, labels
from cartridge.targets.docker.specs import (
    ContainerSpec,
    FileSpec,
    NetworkSpec,
    PortSpec,
    VolumeSpec,
    component_name,
    network_name,
)

PROJECT = "cartridge"
"""Name of the Pulumi project, ours and plain Pulumi's."""
NETWORK, VOLUME, CONTAINER = "cartridge:docker:Network", "cartridge:docker:Volume", "cartridge:docker:Container"
WORDS = {NETWORK: "network", VOLUME: "volume", CONTAINER: "component"}
"""What a plan calls them: a container is its component."""
SHARED = "default"
"""The network's name as a resource; volumes and containers are named after their component."""

Inputs = dict[str, object]


class Graph(Struct, frozen=True):
    """The wanted resources of one stack.

    Attributes:
        network: the one network.
        volumes: by component.
        containers: by component, in dependency order.
        depends_on: by component, the components whose containers come first.
    """

    network: NetworkSpec
    volumes: Mapping[str, VolumeSpec]
    containers: Mapping[str, ContainerSpec]
    depends_on: Mapping[str, tuple[str, ...]]

    def network_inputs(self) -> Inputs:
        """Return what Pulumi is told of the network."""
        return {"name": self.network.name}

    def volume_inputs(self, component: str) -> Inputs:
        """Return what Pulumi is told of a component's volume."""
        volume = self.volumes[component]
        return {"name": volume.name, "component": component, "epoch": volume.epoch}

    def container_inputs(self, component: str) -> Inputs:
        """Return what Pulumi is told of a component's container."""
        spec = self.containers[component]
        return {
            "name": spec.name,
            "component": component,
            "digest": spec.digest,
            "network": spec.network,
            "volume": spec.volume,
            "image": images.tag(spec.programs),
            "command": list(spec.command),
            "environment": sorted(spec.environment),
            "files": [f"{file.path} {file.mode:04o}" for file in spec.files],
            "ports": {port.name: port.inner for port in spec.ports},
            "stop": f"{spec.stop_signal} {spec.stop_seconds} s",
        }


class Plot(Struct, frozen=True):
    """What a graph is drawn from, beside the wanted components.

    Attributes:
        lease: written on every resource.
        folder: the stack's folder of state.
        epochs: by component, which data it is to have; 0 where it says nothing.
        recorded: by component, host ports it was published on before.
        hold: the program that lets a container start before what it needs is ready; empty to do without.
    """

    lease: Lease
    folder: str
    epochs: Mapping[str, int]
    recorded: Mapping[str, Mapping[str, int]]
    hold: bytes = b""


def shared_network(lease: Lease, folder: str) -> NetworkSpec:
    """Return the network of a stack, which needs no component to be known."""
    return NetworkSpec(network_name(lease.stack), _owner(lease, folder).labels(urn(lease.stack, NETWORK, SHARED)))


def draw(wanted: Sequence[Wanted], plot: Plot) -> Graph:
    """Return the graph of a stack."""
    lease, owner = plot.lease, _owner(plot.lease, plot.folder)
    volumes = {
        one.name: VolumeSpec(
            component_name(lease.stack, one.name),
            plot.epochs.get(one.name, 0),
            owner.labels(urn(lease.stack, VOLUME, one.name), one.name),
        )
        for one in wanted
    }
    network = shared_network(lease, plot.folder)
    containers = {one.name: _container(one, plot, owner) for one in wanted}
    return Graph(network, volumes, containers, {one.name: one.depends_on for one in wanted})


def urn(stack: str, kind: str, name: str) -> str:
    """Return what Pulumi calls a resource that has no parent but the stack."""
    return f"urn:pulumi:{stack}::{PROJECT}::{kind}::{name}"


def resource(found: str) -> str:
    """Return our name of a resource, `component/alice`, from Pulumi's; "" for what is none of ours."""
    parts = found.split("::")
    kind, name = (parts[2], parts[3]) if len(parts) == 4 else ("", "")
    return f"{WORDS[kind]}/{name}" if kind in WORDS else ""


def _owner(lease: Lease, folder: str) -> labels.Ownership:
    return labels.Ownership(lease.stack, lease.owner, lease.created, lease.expires, lease.lock_digest, folder)


def _container(one: Wanted, plot: Plot, owner: labels.Ownership) -> ContainerSpec:
    stack = plot.lease.stack
    recorded = plot.recorded.get(one.name, {})
    ports = tuple(
        PortSpec(
            name,
            port.container,
            port.publish,
            one.host_ports.get(name, 0) or recorded.get(name, 0),
            bool(one.host_ports.get(name, 0)),
        )
        for name, port in one.ports.items()
    )
    files = tuple(FileSpec(f"{images.CONFIG}/{file.path}", file.content, file.mode) for file in one.rendered.files)
    return ContainerSpec(
        component=one.name,
        name=component_name(stack, one.name),
        digest=one.digest,
        programs=one.installed,
        command=one.rendered.command,
        environment=one.rendered.environment,
        files=files,
        ports=ports,
        network=network_name(stack),
        volume=component_name(stack, one.name),
        stop_signal=one.stop.signal,
        stop_seconds=-(-one.stop.grace // 1000),
        one_shot=one.one_shot,
        labels=owner.labels(urn(stack, CONTAINER, one.name), one.name, one.digest),
        seed=one.seed,
        hold=plot.hold if one.depends_on else b"",
    )
