"""`explain`: the page of an error code."""

from __future__ import annotations

import difflib

from cartridge.errors import InputError
from cartridge.workspace.bundled import bundled


def explain(code: str) -> str:
    """Return the page of `code`, as Markdown.

    Raises:
        InputError: `code-unknown`.
    """
    page = bundled() / "docs" / "errors" / f"{code}.md"
    if code in codes():
        return page.read_text(encoding="utf-8")
    close = difflib.get_close_matches(code, codes(), 1)
    raise InputError(
        f"there is no error code `{code}`",
        code="code-unknown",
        resolution=f"did you mean `{close[0]}`?" if close else "`cartridge explain` lists every code",
    )


def codes() -> tuple[str, ...]:
    """Return every error code, by name."""
    return tuple(sorted(page.stem for page in (bundled() / "docs" / "errors").glob("*.md") if page.stem != "README"))
