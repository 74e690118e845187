"""Checks of where nodes run, through testinfra: an optional extra, imported only when a test asks for a host.

That is this machine on both targets: images hold a daemon and no shell, which testinfra's way into a container needs;
but ports, processes and, by `host.docker`, the containers themselves are seen from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartridge.errors import MissingError

if TYPE_CHECKING:
    from testinfra.host import Host


def this_machine() -> Host:
    """Return testinfra's grip on this machine.

    Raises:
        MissingError: `extra-missing`, testinfra is not installed.
    """
    try:
        import testinfra
    except ImportError as error:
        raise MissingError(
            "checks of hosts need testinfra, which is not installed",
            code="extra-missing",
            resolution="install the extra: `pip install 'cartridge-toolkit[testinfra]'`",
        ) from error
    return testinfra.get_host("local://")
