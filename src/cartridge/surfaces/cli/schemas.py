"""The JSON Schemas of what `-o json` prints, made from the result types. Imported only to print or to check them.

`python -m cartridge.surfaces.cli.schemas FOLDER` writes them all; a test holds `schemas/output/` against this.
"""

from __future__ import annotations

import json
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from cartridge.errors import InputError
from cartridge.surfaces.cli.answers import TYPES, VERSION, schema_name


def output_schema(answer: str) -> dict[str, Any]:
    """Return the schema of an answer by its name in `answers.TYPES`.

    Raises:
        InputError: `schema-unknown`.
    """
    if answer not in TYPES:
        near = get_close_matches(answer, TYPES, 1)
        raise InputError(
            f"there is no schema `output/{answer}`",
            code="schema-unknown",
            resolution=f"did you mean `output/{near[0]}`?" if near else f"after `output/` one of {', '.join(TYPES)}",
        )
    _, definitions = msgspec.json.schema_components([TYPES[answer]], ref_template="#/$defs/{name}")
    body = _complete(definitions.pop(TYPES[answer].__name__))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{answer}.v{VERSION}.json",
        **body,
        "properties": {"schema": {"const": schema_name(answer)}, **body["properties"]},
        "required": ["schema", *body["properties"]],
        "$defs": {name: _complete(definition) for name, definition in sorted(definitions.items())},
    }


def _complete(definition: dict[str, Any]) -> dict[str, Any]:
    """Return a definition that knows that every field is printed, those with defaults as well."""
    return {**definition, "required": [*definition["properties"]]} if "properties" in definition else definition


def files() -> dict[str, str]:
    """Return every schema as text, by file name."""
    return {f"{name}.json": json.dumps(output_schema(name), indent=2, ensure_ascii=False) + "\n" for name in TYPES}


def main(folder: Path) -> None:
    """Write every schema into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
