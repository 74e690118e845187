"""The folder of sockets: private to its user, with paths short enough for a socket's address.

Makes it and checks it; removes nothing.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from cartridge.errors import MissingError
from cartridge.targets.process import wire

LONGEST_ADDRESS = 103
"""Bytes of a Unix socket's path that every system takes (Linux takes 107)."""


def stack_folder(runtime: Path, stack: str) -> Path:
    """Return the folder of a stack's socket; a name too long for an address is replaced by its digest.

    Raises:
        MissingError: `runtime-folder-long`, `runtime` leaves no room for any name.
    """
    for name in (stack, hashlib.sha256(stack.encode()).hexdigest()[:16]):
        folder = runtime / name
        if len(os.fsencode(folder / wire.SOCKET)) <= LONGEST_ADDRESS:
            return folder
    raise MissingError(
        f"`{runtime}` is too long for a socket's address",
        code="runtime-folder-long",
        resolution="set CARTRIDGE_RUNTIME to a folder with a short path, such as `/tmp/c`",
    )


def make_private(runtime: Path) -> None:
    """Make the folder, mode 0700, and see that it is ours alone.

    Raises:
        MissingError: `runtime-folder-unsafe`.
    """
    why = ""
    try:
        runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
        there = runtime.lstat()
        if not stat.S_ISDIR(there.st_mode):
            why = "it is no folder"
        elif there.st_uid != os.getuid():
            why = "it is another user's"
        elif there.st_mode & 0o022:
            why = "others may write into it"
    except OSError as error:
        why = error.strerror or str(error)
    if why:
        raise MissingError(
            f"`{runtime}` cannot hold sockets: {why}",
            code="runtime-folder-unsafe",
            resolution="remove it, or set CARTRIDGE_RUNTIME to a folder of your own (mode 0700)",
        )
