"""`render`: every file a stack's components would get, with placeholders for secrets."""

from __future__ import annotations

import hashlib
from pathlib import Path

from cartridge.operations.access.context import Context
from cartridge.operations.results.reports import RenderedFileView, RenderResult


def render(context: Context, *, to: Path | None = None) -> RenderResult:
    """Render the chosen stack for looking at; addresses nobody has yet stand in angle brackets.

    Args:
        context: of this run.
        to: a folder to write the files into as well.

    Raises:
        DocumentsError: the files are wrong.
    """
    from cartridge.render.templates import SymbolicPlaces
    from cartridge.render.templates import render as rendered

    bundle = rendered(context.resolved(), SymbolicPlaces())
    views = tuple(
        RenderedFileView(f"{name}/{file.path}", file.content.decode(), hashlib.sha256(file.content).hexdigest())
        for name, component in bundle.components.items()
        for file in component.files
    )
    if to is not None:
        for view in views:
            path = to / view.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(view.text, encoding="utf-8")
    return RenderResult(bundle.digest, views)
