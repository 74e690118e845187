"""What a program of this machine needs to run elsewhere: the loader and libraries its ELF file asks for.

Asks the dynamic loader itself through `ldd`; a static program needs nothing. Linux only, like the containers.
"""

from __future__ import annotations

import platform
import re
from pathlib import Path

from cartridge import spawn
from cartridge.errors import MissingError

_LINE = re.compile(r"^\s*(?:(?P<name>\S+) => )?(?P<path>/\S+) \(0x[0-9a-f]+\)$", re.MULTILINE)
_MISSING = re.compile(r"^\s*(?P<name>\S+) => not found$", re.MULTILINE)
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def architecture() -> str:
    """Return this machine's architecture as images name it, such as `amd64`."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def libraries(program: Path) -> dict[str, Path]:
    """Return the libraries and the loader a program needs: where it looks for each → the real file on this machine.

    Raises:
        MissingError: `program-missing`, one of them is not on this machine.
    """
    said = spawn.run(["ldd", str(program)], environment={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    if lost := _MISSING.search(said.stdout):
        raise MissingError(
            f"`{program.name}` needs `{lost['name']}`, which is not on this machine",
            code="program-missing",
            resolution="install the library, or take the program from another channel",
        )
    return {found["path"]: Path(found["path"]).resolve() for found in _LINE.finditer(said.stdout)}
