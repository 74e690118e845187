"""Makes, looks at and removes the typed resources of a stack in Docker. Every act can be repeated.

What is asked for is adopted where its labels say that it is already there, so a crash only leads to a repeat, never
to a duplicate. Nothing that is not labelled as the stack's is ever touched. Waits for nothing but Docker.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from cartridge.artifacts.installed import Installed
from cartridge.errors import ApplyError
from cartridge.targets import secrets
from cartridge.targets.docker import deliver, images, labels
from cartridge.targets.docker import ports as host_ports
from cartridge.targets.docker.asked import asking
from cartridge.targets.docker.client import connect, refused
from cartridge.targets.docker.conditions import Inspection, count_start
from cartridge.targets.docker.specs import ContainerSpec, FileSpec, NetworkSpec, VolumeSpec
from cartridge.workspace.settings import variable

if TYPE_CHECKING:
    from docker import APIClient

LOG_LIMITS = {"max-size": "16m", "max-file": "3"}
"""A container's log is kept this long by the Engine."""


class Holding(Struct, frozen=True):
    """Everything the Engine has of one stack: containers and names of volumes by component, names of networks."""

    containers: Mapping[str, Inspection]
    volumes: Mapping[str, str]
    networks: tuple[str, ...]

    def without(self, components: Container[str]) -> Holding:
        """Return the containers and volumes that are none of these components'."""
        return Holding(
            {name: seen for name, seen in self.containers.items() if name not in components},
            {name: volume for name, volume in self.volumes.items() if name not in components},
            (),
        )


class Provisioner:
    """The resources of one stack.

    Args:
        client: the Engine.
        stack: the stack's id; nothing without its label is touched.
    """

    def __init__(self, client: APIClient, stack: str) -> None:
        self._client, self._stack = client, stack
        self._lock = threading.Lock()

    @classmethod
    def connect(cls, stack: str) -> Provisioner:
        """Return a provisioner on the Engine of this machine.

        Raises:
            MissingError: `docker-missing`, `docker-permission`, `docker-remote`, `docker-too-old`.
        """
        return cls(connect(), stack)

    def ensure_image(self, programs: Installed) -> images.Image:
        """Return the image of these programs, made and loaded where the Engine has none."""
        return images.ensure(self._client, programs)

    def holding(self) -> Holding:
        """Return what the Engine has of the stack."""
        chosen = labels.of_stack(self._stack)
        with refused("list what the stack has"):
            listed = [each["Id"] for each in self._client.containers(all=True, filters=chosen)]
            volumes = self._client.volumes(filters=chosen)["Volumes"] or []
            networks = self._client.networks(filters=chosen)
        found = [seen for identity in listed if (seen := self.container(identity)) is not None]
        return Holding(
            {seen.component: seen for seen in found},
            {each["Labels"].get(labels.COMPONENT, each["Name"]): each["Name"] for each in volumes},
            tuple(sorted(each["Name"] for each in networks)),
        )

    def ensure_network(self, spec: NetworkSpec) -> None:
        """Make the network unless it is there. One at a time: asked twice at once, Docker may make two of one name.

        Raises:
            ApplyError: `docker-refused`, `docker-name-taken`.
        """
        with self._lock:
            if not self.has_network(spec.name):
                with asking("network", spec.labels), refused(f"make the network `{spec.name}`"):
                    self._client.create_network(
                        spec.name, driver="bridge", labels=dict(spec.labels), check_duplicate=True, attachable=False
                    )
            self._remove_doubles(spec.name)

    def ensure_volume(self, spec: VolumeSpec) -> None:
        """Make the volume unless it is there.

        Raises:
            ApplyError: `docker-refused`, `disk-full`, `docker-name-taken`.
        """
        if not self.has_volume(spec.name):
            with asking("volume", spec.labels), refused(f"make the volume `{spec.name}`"):
                self._client.create_volume(spec.name, labels=dict(spec.labels))

    def ensure_container(self, spec: ContainerSpec) -> Inspection:
        """Make the container with its files and a fresh volume's first files unless it is there, and look at it.

        An older container of the component is ended and removed first.

        Raises:
            ApplyError: `docker-refused`, `disk-full`, `docker-name-taken`.
            MissingError: `secret-missing`.
        """
        found = self.container(spec.name)
        if found is not None and found.labels.get(labels.DIGEST) != spec.digest:
            self.remove_container(spec.name)
            found = None
        if found is None:
            self._create(spec, {})
        elif found.started != "" and found.status != "created":
            return found
        self._deliver(spec)
        made = self.container(spec.name)
        if made is None:
            raise ApplyError(f"the container `{spec.name}` went away while it was made", code="docker-refused")
        return made

    def start(self, spec: ContainerSpec) -> None:
        """Start the container; where its host port was taken meanwhile, make it again with another.

        Raises:
            MissingError: `port-taken` for a port the stack insists on.
            ApplyError: `docker-refused`.
        """
        before = self.container(spec.name)
        for _ in range(5):
            try:
                with refused(f"start `{spec.name}`"):
                    self._client.start(spec.name)
            except ApplyError as error:
                if not _is_port_clash(error):
                    raise
                self._move_ports(spec, error)
            else:
                if before is not None:
                    count_start(before)
                return

    def is_held(self, spec: ContainerSpec) -> bool:
        """Tell whether the container's own program still waits for `release`."""
        return bool(spec.hold) and not deliver.exists(self._client, spec.name, deliver.RELEASED)

    def release(self, spec: ContainerSpec) -> None:
        """Seed a fresh volume of a held container, and let its own program run.

        Raises:
            ApplyError: `docker-refused`, `disk-full`.
        """
        deliver.put(self._client, spec.name, [*self._seeds(spec), FileSpec(deliver.RELEASED, b"", 0o600)])

    def container(self, name: str) -> Inspection | None:
        """Return a look at a container of the stack, or None where there is none.

        Raises:
            ApplyError: `docker-name-taken`, a stranger has the name.
        """
        from docker.errors import NotFound

        with refused(f"look at `{name}`"):
            try:
                seen = Inspection.of(self._client.inspect_container(name))
            except NotFound:
                return None
        self._check_ours(name, "container", seen.labels)
        return seen

    def has_network(self, name: str) -> bool:
        """Tell whether the stack's network is there.

        Raises:
            ApplyError: `docker-name-taken`.
        """
        return bool(self._networks(name))

    def has_volume(self, name: str) -> bool:
        """Tell whether the volume is there.

        Raises:
            ApplyError: `docker-name-taken`.
        """
        from docker.errors import NotFound

        with refused(f"look at the volume `{name}`"):
            try:
                found = self._client.inspect_volume(name)
            except NotFound:
                return False
        self._check_ours(name, "volume", found.get("Labels"))
        return True

    def remove_container(self, name: str, *, politely: bool = True) -> bool:
        """End and remove a container; return whether there was one.

        Args:
            name: of the container.
            politely: with its stop signal and grace, because its data stays; else at once.
        """
        from docker.errors import NotFound

        found = self.container(name)
        if found is None:
            return False
        with refused(f"remove `{name}`"):
            try:
                if politely and found.is_running:
                    self._client.stop(name)
                self._client.remove_container(name, force=True, v=False)
            except NotFound:
                return False
        return True

    def remove_volume(self, name: str) -> bool:
        """Remove a volume with everything in it; return whether there was one."""
        if not self.has_volume(name):
            return False
        with refused(f"remove the volume `{name}`"):
            self._client.remove_volume(name, force=True)
        return True

    def remove_network(self, name: str) -> bool:
        """Remove the network; return whether there was one."""
        found = self._networks(name)
        with refused(f"remove the network `{name}`"):
            for identity in found:
                self._client.remove_network(identity)
        return bool(found)

    def _remove_doubles(self, name: str) -> None:
        """Leave one network of the name: the request of a run that was killed is still carried out beside ours."""
        found = self._networks(name)
        if len(found) > 1:
            with refused(f"look at the networks `{name}`"):
                used = [one for one in found if self._client.inspect_network(one)["Containers"]]
            for double in set(found) - {*(used or found)[:1]}:
                with refused(f"remove a second network `{name}`"):
                    self._client.remove_network(double)

    def _networks(self, name: str) -> list[str]:
        """Return the ids of the networks of this name: Docker may have several, and then takes no name for one."""
        with refused(f"look for the network `{name}`"):
            found = [each for each in self._client.networks(names=[name]) if each["Name"] == name]
        for each in found:
            self._check_ours(name, "network", each["Labels"])
        return [each["Id"] for each in found]

    def _create(self, spec: ContainerSpec, moved: Mapping[str, int]) -> None:
        client, image = self._client, images.ensure(self._client, spec.programs)
        published = {**_published(spec), **moved}
        inner = {port.name: port.inner for port in spec.ports}
        known = {name: [number, published.get(name, 0)] for name, number in inner.items()}
        marks = {
            **spec.labels,
            labels.PORTS: json.dumps(known, sort_keys=True),
            labels.ONE_SHOT: "true" if spec.one_shot else "false",
        }
        with asking("component", spec.labels), refused(f"make the container `{spec.name}`"):
            client.create_container(
                image.tag,
                name=spec.name,
                hostname=spec.component,
                entrypoint=[deliver.HOLD, deliver.RELEASED] if spec.hold else [spec.command[0]],
                command=list(spec.command if spec.hold else spec.command[1:]),
                environment=secrets.resolve(spec.environment, variable),
                ports=[inner[name] for name in published],
                labels=marks,
                stop_signal=spec.stop_signal,
                stop_timeout=spec.stop_seconds,
                host_config=self._host_config(spec, {inner[name]: port for name, port in published.items()}),
                networking_config={
                    "EndpointsConfig": {spec.network: client.create_endpoint_config(aliases=[spec.component])}
                },
            )

    def _host_config(self, spec: ContainerSpec, bindings: Mapping[int, int]) -> Any:
        from docker.types import LogConfig

        return self._client.create_host_config(
            network_mode=spec.network,
            binds={spec.volume: {"bind": images.DATA, "mode": "rw"}},
            port_bindings={inner: ("127.0.0.1", host) for inner, host in bindings.items()},
            log_config=LogConfig(type="json-file", config=LOG_LIMITS),
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
        )

    def _deliver(self, spec: ContainerSpec) -> None:
        files = [*spec.files, *([FileSpec(deliver.HOLD, spec.hold, 0o700)] if spec.hold else self._seeds(spec))]
        if files:
            deliver.put(self._client, spec.name, files)

    def _seeds(self, spec: ContainerSpec) -> list[FileSpec]:
        """Return a fresh volume's first files; nothing where it has them."""
        if spec.seed is None or deliver.exists(self._client, spec.name, deliver.SEEDED):
            return []
        return deliver.seed_files(spec.seed())

    def _move_ports(self, spec: ContainerSpec, error: ApplyError) -> None:
        taken = _published(spec)
        fixed = {port.name for port in spec.ports if port.fixed}
        stuck = [name for name, port in taken.items() if name in fixed and not host_ports.is_free(port)]
        if stuck or not set(taken) - fixed:
            host_ports.refuse_taken((spec.component, name, taken[name]) for name in stuck)
            raise error
        avoid = set(taken.values())
        moved = {name: host_ports.choose(f"{spec.name}/{name}", avoid) for name in taken if name not in fixed}
        with refused(f"make `{spec.name}` again on other ports"):
            self._client.remove_container(spec.name, force=True, v=False)
        self._create(spec, moved)
        self._deliver(spec)

    def _check_ours(self, name: str, kind: str, found: Mapping[str, str] | None) -> None:
        if not labels.belongs(found, self._stack):
            raise ApplyError(
                f"there is a {kind} `{name}` already, and it is not this stack's",
                code="docker-name-taken",
                resolution=f"remove or rename the {kind}, or give the stack another name",
            )


def _published(spec: ContainerSpec) -> dict[str, int]:
    """Return the host port of each published port, by its name; chosen now where none is asked for."""
    found: dict[str, int] = {}
    for port in spec.ports:
        if port.publish:
            found[port.name] = port.host or host_ports.choose(f"{spec.name}/{port.name}", found.values())
    return found


def _is_port_clash(error: ApplyError) -> bool:
    said = " ".join(error.details)
    return "port is already allocated" in said or "address already in use" in said
