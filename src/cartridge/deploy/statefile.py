"""Reads and writes the state of a stack: `<state folder>/<stack id>/state.json`, replaced by rename.

A state that cannot be read is an error with a way out, never silently taken for "nothing there".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cartridge.deploy.replacing import write_whole
from cartridge.errors import MissingError
from cartridge.plan.state import State, decode, encode

NAME = "state.json"


def read(folder: Path) -> State | None:
    """Return the state in a stack's folder, or None where there is none.

    Raises:
        MissingError: `state-unreadable`.
    """
    path = folder / NAME
    try:
        return decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise MissingError(
            f"the state in `{path}` cannot be read: {error}",
            code="state-unreadable",
            resolution=f"`cartridge gc` removes what it belonged to; or delete `{path}` and run `cartridge up`",
        ) from error


def write(folder: Path, state: State) -> None:
    """Replace the state in a stack's folder: written beside it, synced, renamed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(folder / NAME, encode(state), is_synced=True)


def folders(state_folder: Path) -> Iterator[Path]:
    """Yield the folder of every stack that has a state, by name."""
    for path in sorted(state_folder.glob(f"*/{NAME}")):
        yield path.parent
