"""Whether somebody holds the lock on a file or folder: who makes something keeps it locked for as long as he lives."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def is_held(path: Path, *, unreadable: bool = True) -> bool:
    """Tell whether a process holds the lock (flock) on `path`.

    Args:
        path: of the file or folder.
        unreadable: the answer where it cannot be opened: it is gone, or not ours to judge.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return unreadable
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
