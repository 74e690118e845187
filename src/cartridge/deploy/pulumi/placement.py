"""Where things are in Docker: fixed folders in every container, and the stack's own network for names. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from cartridge.artifacts.installed import Installed
from cartridge.errors import InputError
from cartridge.targets.docker import images

if TYPE_CHECKING:
    from cartridge.model.cartridge import Port

Components: TypeAlias = "Mapping[str, tuple[Mapping[str, Port], Mapping[str, int], Installed]]"


class DockerPlacement:
    """The placement of one stack (see `deploy.engine.Placement`).

    Args:
        components: by name: its ports, the host ports it insists on, its programs.
    """

    def __init__(self, components: Components) -> None:
        self._ports = {name: ports for name, (ports, _, _) in components.items()}
        self._programs = {name: images.program_paths(installed) for name, (_, _, installed) in components.items()}

    def listen(self, component: str, port: str) -> str:
        """Return all addresses of the container: its network is the stack's own.

        Raises:
            InputError: `port-unknown`.
        """
        return f"0.0.0.0:{self._port(component, port)}"

    def reach(self, component: str, port: str) -> str:
        """Return the component's name on the stack's network.

        Raises:
            InputError: `port-unknown`.
        """
        return f"{component}:{self._port(component, port)}"

    def data(self, component: str) -> str:
        """Return where its volume is mounted."""
        return images.DATA

    def config(self, component: str) -> str:
        """Return where its rendered files are put."""
        return images.CONFIG

    def program(self, component: str, binary: str) -> str:
        """Return the absolute path of one of its programs in the image.

        Raises:
            InputError: `program-unknown`.
        """
        programs = self._programs.get(component, {})
        if binary not in programs:
            known = ", ".join(f"`{name}`" for name in sorted(programs)) or "none"
            raise InputError(
                f"`{component}` has no program `{binary}`",
                code="program-unknown",
                resolution=f"its programs are: {known}",
            )
        return programs[binary]

    def _port(self, component: str, port: str) -> int:
        ports = self._ports.get(component, {})
        if port not in ports:
            raise InputError(f"`{component}` has no port `{port}`", code="port-unknown")
        return ports[port].container
