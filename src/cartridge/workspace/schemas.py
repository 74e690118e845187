"""JSON Schemas of the documents, for editors, made from the models: `python -m cartridge.workspace.schemas [folder]`.

An editor that speaks the YAML language server's protocol takes the schema from a document's first line, the path being
relative to the document:

    # yaml-language-server: $schema=../schemas/stack.schema.json

The files are checked in, and a test compares them. Schemas say less than the checks do: they see one document alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from cartridge.model.cartridge import Cartridge
from cartridge.model.descriptions import describe
from cartridge.model.document import API_VERSION
from cartridge.model.stack import Stack

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_DOCUMENTS: Mapping[str, Any] = {
    "cartridge": Cartridge,
    "stack": Stack,
    "document": Annotated[Cartridge | Stack, Field(discriminator="kind")],
}


def schemas() -> Mapping[str, Mapping[str, Any]]:
    """Return each schema by its name: `cartridge`, `stack`, and `document` for either of them."""
    return {name: _schema(name, shape) for name, shape in _DOCUMENTS.items()}


def text(schema: Mapping[str, Any]) -> str:
    """Return a schema as the file that holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write(folder: Path) -> tuple[Path, ...]:
    """Write every schema into `folder` and return the files that were not so before."""
    changed = []
    for name, schema in schemas().items():
        path, wanted = folder / f"{name}.schema.json", text(schema)
        if not path.exists() or path.read_text(encoding="utf-8") != wanted:
            path.write_text(wanted, encoding="utf-8")
            changed.append(path)
    return tuple(changed)


def _schema(name: str, shape: Any) -> Mapping[str, Any]:
    describe()
    made = TypeAdapter(shape).json_schema(by_alias=True)
    title = {"title": f"{name} ({API_VERSION})"}
    return {"$schema": _DIALECT, **_without_bare_defaults(made), **title}


def _without_bare_defaults(schema: Any) -> Any:
    """Return the schema without defaults in base units, which nobody may write."""
    if isinstance(schema, list):
        return [_without_bare_defaults(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    is_bare = schema.get("type") == "string" and isinstance(schema.get("default"), int)
    return {key: _without_bare_defaults(item) for key, item in schema.items() if not (is_bare and key == "default")}


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "schemas")
    sys.stdout.write("".join(f"wrote {path}\n" for path in write(target)))
