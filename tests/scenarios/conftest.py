"""A project of its own for each scenario, apart from the user's stacks; nothing of it outlives the test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.held import Project

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project() -> Iterator[Project]:
    """A folder with the shipped stack; ended and removed afterwards. Short, since sockets are beside it."""
    folder = Path(tempfile.mkdtemp(prefix="ctg-", dir="/tmp"))
    (folder / "stacks").mkdir()
    shutil.copy(ROOT / "stacks" / "lightning-pair.yaml", folder / "stacks")
    environment = {"XDG_STATE_HOME": str(folder / "home"), "CARTRIDGE_RUNTIME": str(folder / "run"), "CI": "1"}
    made = Project(folder, environment)
    yield made
    ended = None if made.is_empty else made.cartridge("down", "--all", "--yes")
    shutil.rmtree(folder, ignore_errors=True)
    if ended is not None:
        assert ended.returncode == 0, ended.stderr
