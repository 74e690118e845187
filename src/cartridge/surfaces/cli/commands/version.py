"""`cartridge version`."""

from __future__ import annotations

import platform

from cartridge import __version__
from cartridge.surfaces.cli.answers import VersionResult
from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.session import Session


@command("version")
def version(session: Session, _: Flags) -> None:
    """Print the versions of Cartridge and of what it uses."""
    result = VersionResult(
        cartridge=__version__,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        docker=session.verbs.version_of("docker", "--version"),
        pulumi=session.verbs.version_of("pulumi", "version"),
    )
    session.answer("version", result, lambda _: text(result))


def text(result: VersionResult) -> str:
    """Return a line a program."""
    return (
        f"cartridge  {result.cartridge}\n"
        f"python     {result.python}\n"
        f"platform   {result.platform}\n"
        f"docker     {result.docker or 'not on PATH'}\n"
        f"pulumi     {result.pulumi or 'not on PATH; the store has its own'}\n"
    )


COMMAND = version
