"""`schema`: the JSON Schema of a kind of document, for editors."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cartridge.errors import InputError
from cartridge.workspace.bundled import bundled


def kinds() -> tuple[str, ...]:
    """Return every kind that has a schema, by name."""
    return tuple(
        sorted(path.name.removesuffix(".schema.json") for path in (bundled() / "schemas").glob("*.schema.json"))
    )


def schema(kind: str) -> Mapping[str, object]:
    """Return the schema of `kind`, such as `stack`.

    Raises:
        InputError: `schema-unknown`.
    """
    if kind.lower() not in kinds():
        raise InputError(
            f"there is no schema `{kind}`", code="schema-unknown", resolution=f"one of {', '.join(kinds())}"
        )
    body = json.loads((bundled() / "schemas" / f"{kind.lower()}.schema.json").read_text(encoding="utf-8"))
    assert isinstance(body, dict)
    return body
