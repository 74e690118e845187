"""Which folder is the project, and where the state of its stacks is kept. Reads names of files, never a document.

The project is the nearest folder, from the one we stand in upwards, that holds `cartridge.lock`, a
`stacks/*.yaml` or a `cartridges/*/cartridge.yaml`. A folder above ours that anybody may write to (such as `/tmp`)
is passed over, because what lies there runs programs. Where there is none, the shipped documents are the project.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, field

from cartridge.workspace.bundled import bundled, is_checkout
from cartridge.workspace.settings import STATE_FOLDER, Settings


class Project(Struct, frozen=True):
    """A project.

    Attributes:
        root: folder of `cartridges/`, `stacks/`, `templates/` and `cartridge.lock`.
        state: folder of the stacks' state; may not exist yet.
        start: where the user stands; paths are shown relative to it.
        shipped: folder of the documents that come with the program; the project's own come first.
    """

    root: Path
    state: Path
    start: Path
    shipped: Path = field(default_factory=bundled)

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders documents and templates are looked for in: the project's, then the shipped one."""
        return (self.root,) if self.root == self.shipped else (self.root, self.shipped)

    def display(self, path: Path) -> str:
        """Return `path` as the user would type it: relative to where they stand if it is in the project."""
        is_own = path.is_relative_to(self.root) and (self.root != self.shipped or self.start.is_relative_to(self.root))
        return os.path.relpath(path, self.start) if is_own else str(path)


def find(settings: Settings, start: Path | None = None) -> Project:
    """Return the project around `start` (the current folder by default), or the shipped one."""
    start = start or _here()
    for folder in (start, *start.parents):
        if _holds_project(folder) and (folder == start or not _is_anybodys(folder)):
            return Project(folder, folder / STATE_FOLDER, start)
    root = bundled()
    return Project(root, root / STATE_FOLDER if is_checkout() else settings.state_home, start)


def stack_files(root: Path) -> tuple[Path, ...]:
    """Return `stacks/*.yaml` under `root`, by name."""
    return tuple(sorted(_documents(root / "stacks")))


def cartridge_files(root: Path) -> tuple[Path, ...]:
    """Return `cartridges/*/cartridge.yaml` under `root`, by name."""
    folder = root / "cartridges"
    return tuple(path for name in _names(folder) if (path := folder / name / "cartridge.yaml").is_file())


def _holds_project(folder: Path) -> bool:
    return (folder / "cartridge.lock").is_file() or bool(stack_files(folder)) or bool(cartridge_files(folder))


def _documents(folder: Path) -> Iterator[Path]:
    for name in _names(folder):
        if name.endswith((".yaml", ".yml")):
            yield folder / name


def _names(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError:
        return []


def _is_anybodys(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IWOTH)


def _here() -> Path:
    """Return the current folder; one that was deleted under us counts as none."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path("/")
