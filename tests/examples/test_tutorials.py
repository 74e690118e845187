"""Every command a tutorial shows is run, in order, against real daemons, in a project like the reader's.

A block such as ```yaml stacks/shop.yaml is a file the reader writes, and is written at its turn.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cartridge import spawn

ROOT = Path(__file__).parents[2]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
CARTRIDGE = Path(sys.executable).with_name("cartridge")
BY_ITSELF = ("env", "-u", "MAKEFLAGS", "-u", "ARGS")
"""What `make test ARGS=…` was given is not what a reader types."""
PROJECT = ("cartridge.lock", "cartridges", "stacks", "templates", "tools")

pytestmark = [pytest.mark.lightning, pytest.mark.slow]


def steps(page: Path) -> list[tuple[str, str]]:
    """Return what the reader does, in order: ("$", a command line) or (a file, its content)."""
    blocks = re.findall(r"(?ms)^```(console|(?:yaml|python) \S+)\n(.*?)^```", page.read_text(encoding="utf-8"))
    return [
        step
        for kind, text in blocks
        for step in (
            [("$", line[2:]) for line in text.splitlines() if line.startswith("$ ")]
            if kind == "console"
            else [(kind.partition(" ")[2], text)]
        )
    ]


def meant(line: str) -> list[str]:
    """Return the arguments a line comes to here: `make TARGET` is what that target runs once all is installed."""
    words = shlex.split(line, comments=True)
    if words[0] == "make":
        shown = spawn.run([*BY_ITSELF, "make", "--dry-run", "--silent", *words[1:]], cwd=ROOT, check=True).stdout
        words = shlex.split(shown.splitlines()[-1])
    if words[0] == "pytest":
        return [sys.executable, "-m", *words]
    assert Path(words[0]).name == "cartridge", line
    return [str(CARTRIDGE), *words[1:]]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A copy of what a clone holds for `cartridge`; nothing is left running in it."""
    for name in PROJECT:
        source = ROOT / name
        shutil.copytree(source, tmp_path / name) if source.is_dir() else shutil.copy(source, tmp_path)
    yield tmp_path
    spawn.run([str(CARTRIDGE), "down", "--all", "--yes"], cwd=tmp_path, timeout=120)


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_every_command_of_a_tutorial_works_as_shown(page: Path, project: Path) -> None:
    assert steps(page)
    for place, text in steps(page):
        if place != "$":
            (project / place).parent.mkdir(exist_ok=True)
            (project / place).write_text(text, encoding="utf-8")
            continue
        done = spawn.run(meant(text), cwd=project, timeout=240)

        assert done.status == 0, f"$ {text}\n{done.stdout}{done.stderr}"
