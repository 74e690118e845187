"""Replaces a private file whole: who reads it sees what it held or what it holds, never a part of either.

Written beside it and renamed, by any number of processes and threads at once. Knows nothing of what files hold.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path


def write_whole(path: Path, content: bytes, *, is_synced: bool = False) -> None:
    """Replace the file at `path`, whose folder is there, by one of mode 0600.

    Args:
        path: of the file.
        content: what it shall hold.
        is_synced: have the bytes on the disk first, so that a power cut leaves one or the other.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        if is_synced:
            file.flush()
            os.fsync(file.fileno())
    beside.replace(path)
