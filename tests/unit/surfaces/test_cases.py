"""Every command and every form of failure, whole text compared (tests/cases/cli; `python -m tests.doubles.shell`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from cartridge.surfaces.cli.catalogue import VERBS
from tests.doubles.shell import CASES, Case, played

PATHS = sorted(CASES.glob("*.txt"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_command_line_says_what_its_case_shows(path: Path) -> None:
    assert played(path) == path.read_text(encoding="utf-8")


def test_every_verb_has_a_case() -> None:
    played_verbs = {Case.read(path).line.split()[1] for path in PATHS if " " in Case.read(path).line}

    # what these two print depends on the machine and on click; tests of their own look at them
    assert set(VERBS) - played_verbs == {"completion", "version"}
