"""Where the documents that come with the program are: shipped cartridges, stacks, templates, schemas, error pages.

In a wheel they stand beside the code; in a checkout they are the repository itself. Never writes there.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


@cache
def bundled() -> Path:
    """Return the folder that holds `cartridges/`, `stacks/`, `templates/`, `schemas/`, `tools/` and `docs/errors/`."""
    inside = _PACKAGE / "bundled"
    return inside if inside.is_dir() else _PACKAGE.parent.parent


def is_checkout() -> bool:
    """Return whether the program runs from its repository, where state may be kept beside the documents."""
    return bundled() != _PACKAGE / "bundled"
