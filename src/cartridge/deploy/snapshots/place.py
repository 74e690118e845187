"""Where a project's snapshots are, and how many. Imports nothing that costs time: `down` asks."""

from __future__ import annotations

from pathlib import Path

FOLDER = "snapshots"
"""Name in a project's folder of state."""


def folders(state: Path) -> list[Path]:
    """Return the folder of every snapshot below a project's folder of state, readable or not, by id."""
    return [path for path in sorted((state / FOLDER).glob("[!.]*")) if path.is_dir()]
