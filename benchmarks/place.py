"""Where benchmarks run: a project of their own, the `cartridge` of this environment, programs from the store."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Place:
    """A folder to work in, a project in it, and our own program."""

    folder: Path
    project: Path
    program: str

    def cartridge(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run our program in the project and return what it said; raise where it fails."""
        done = subprocess.run([self.program, *arguments], cwd=self.project, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"cartridge {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done


@contextmanager
def made() -> Iterator[Place]:
    """Yield a place with the pair's project in it; everything is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="cartridge-bench-"))
    project = folder / "project"
    (project / "stacks").mkdir(parents=True)
    shutil.copy(ROOT / "stacks" / "lightning-pair.yaml", project / "stacks")
    place = Place(folder, project, str(Path(sys.executable).parent / "cartridge"))
    try:
        yield place
    finally:
        subprocess.run([place.program, "down", "--all", "--yes"], cwd=project, capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)
