"""The names a template may use; `render` offers exactly these, and the checks refuse any other."""

from __future__ import annotations

CONTEXT: tuple[str, ...] = (
    "component",
    "settings",
    "network",
    "node",
    "listen",
    "reach",
    "data",
    "config",
    "program",
    "secrets",
)
"""What each means: docs/reference/templates.md."""

PROFILE = "profile"
"""The binding that chooses a profile; no setting may be called so."""
