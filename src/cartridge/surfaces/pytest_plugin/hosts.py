"""Checks of where a node runs, through testinfra: an optional extra, imported only when a test asks for a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartridge.errors import ApplyError, MissingError
from cartridge.operations.context import Context
from cartridge.operations.drivers import driver
from cartridge.operations.selection import chosen

if TYPE_CHECKING:
    from testinfra.host import Host


def host_of(context: Context, component: str) -> Host:
    """Return testinfra's grip on where a component runs: this machine, or its container.

    Raises:
        MissingError: `extra-missing`, testinfra is not installed.
        ApplyError: `component-not-running`.
    """
    try:
        import testinfra
    except ImportError as error:
        raise MissingError(
            "checks of hosts need testinfra, which is not installed",
            code="extra-missing",
            resolution="install the extra: `pip install 'cartridge-toolkit[testinfra]'`",
        ) from error
    state = chosen(context)
    if state.target != "docker":
        return testinfra.get_host("local://")
    identity = driver(context, state).conditions()[component].identity
    if not identity:
        raise ApplyError(f"`{component}` does not run", code="component-not-running", resolution="`start()` it first")
    return testinfra.get_host(f"docker://{identity}")
