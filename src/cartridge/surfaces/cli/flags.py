"""The values of the flags that mean the same for every verb, and how they and the environment come together.

A flag given wins over its `CARTRIDGE_*` variable, which wins over the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

if TYPE_CHECKING:
    from cartridge.operations.access.context import Options
    from cartridge.workspace.settings import Settings


class Flags(Struct, frozen=True):
    """The flags as given; None or empty where not. Durations are milliseconds."""

    file: tuple[str, ...] = ()
    stack: str | None = None
    target: str | None = None
    bindings: Mapping[str, str] = field(default_factory=dict)
    isolated: bool = False
    offline: bool = False
    ttl: int | None = None
    wait_timeout: int | None = None
    force_close: bool = False
    yes: bool = False
    progress: str | None = None

    def options(self, settings: Settings) -> Options:
        """Return what the operations are given, with the environment where a flag is silent."""
        from cartridge.operations.access.context import Options

        return Options(
            files=self.file or settings.files,
            stack=self.stack or settings.stack,
            target=self.target or settings.target,
            bindings=self.bindings,
            isolated=self.isolated or settings.isolated,
            ttl=settings.ttl if self.ttl is None else self.ttl,
            wait_timeout=settings.wait_timeout if self.wait_timeout is None else self.wait_timeout,
            offline=self.offline or settings.offline,
            force_close=self.force_close,
        )


def split(parameters: dict[str, Any]) -> tuple[Flags, dict[str, Any]]:
    """Return the common flags among a command's parameters, and the rest."""
    known = {name: parameters.pop(name) for name in Flags.__struct_fields__ if name in parameters}
    parameters.pop("output", None)  # read ahead by `Terminal`, as a wrong flag is reported in that form too
    parameters.pop("no_color", None)
    return Flags(**known), parameters


VARIABLES: Mapping[str, str] = {
    "--file": "CARTRIDGE_FILE",
    "--stack": "CARTRIDGE_STACK",
    "--target": "CARTRIDGE_TARGET",
    "--isolated": "CARTRIDGE_ISOLATED",
    "--offline": "CARTRIDGE_OFFLINE",
    "--ttl": "CARTRIDGE_TTL",
    "--wait-timeout": "CARTRIDGE_WAIT_TIMEOUT",
    "--output": "CARTRIDGE_OUTPUT",
    "--progress": "CARTRIDGE_PROGRESS",
    "--no-color": "NO_COLOR",
}
"""The variable that stands in for a flag that is not given."""
