"""Writes a file the user asked for: whole or not at all, and over one that is there only where asked to."""

from __future__ import annotations

import os
from pathlib import Path

from cartridge.errors import InputError


def write(path: Path, content: bytes, *, force: bool, resolution: str = "overwrite it with `--force`") -> bool:
    """Write a file, with the folders it needs, and return whether one was there before.

    Args:
        path: where.
        content: all of it.
        force: whether one that is there may go.
        resolution: what to do where it may not.

    Raises:
        InputError: `file-exists` or `file-unwritable`.
    """
    there = path.exists()
    if there and not force:
        raise InputError(f"`{path}` is there already", code="file-exists", resolution=resolution)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise InputError(
            f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}",
            code="file-unwritable",
            resolution="check the folder and its permissions",
        ) from error
    return there
