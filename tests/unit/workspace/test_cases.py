"""Every document under tests/cases/documents gives exactly the report that lies beside it.

A case is a project; `shared/` stands for the shipped documents. `WRITE_CASES=1` writes the reports anew, for
a reviewer to read in the diff.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cartridge.workspace import report, settings
from cartridge.workspace.load import inspect
from cartridge.workspace.project import Project

FOLDER = Path(__file__).parents[2] / "cases" / "documents"
SHARED = FOLDER / "shared"
CASES = sorted(folder for folder in FOLDER.iterdir() if folder != SHARED)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_document_gives_the_report_beside_it(case: Path) -> None:
    project = Project(case, case / ".cartridge", case, SHARED)

    said = report.text(inspect(project).findings)

    expected = case / "expected.txt"
    if settings.variable("WRITE_CASES"):
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")


def test_right_documents_give_an_empty_report_and_wrong_ones_do_not() -> None:
    silent = {case.name for case in CASES if not (case / "expected.txt").read_text(encoding="utf-8")}

    assert silent == {case.name for case in CASES if case.name.startswith("right-")}


def test_there_are_many_wrong_documents() -> None:
    assert len(CASES) >= 100
