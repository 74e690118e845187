"""Every code of a finding is shown by a golden case or a test, and explained by a page."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "src" / "cartridge" / "workspace"
CODE = re.compile(r"[a-z]+(?:-[a-z]+)+")

SPOKEN_BY_THE_ENGINES = {"wrong-value"}
"""Said only of a kind of mistake that pydantic may learn in a later version."""


def codes() -> set[str]:
    """Return every word in the package that has the form of a code; nothing else there has it."""
    return {
        node.value
        for path in PACKAGE.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
    }


def test_every_code_has_a_page_that_says_what_to_do() -> None:
    pages = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs/errors").glob("*.md")}

    assert [code for code in sorted(codes()) if "**What to do.**" not in pages.get(code, "")] == []


def test_every_code_is_met_by_a_case_or_a_test() -> None:
    shown = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/cases/documents").rglob("expected.txt"))
    named = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))

    unseen = {code for code in codes() if f"[{code}]" not in shown and f'"{code}"' not in named}
    assert unseen - SPOKEN_BY_THE_ENGINES == set()
