"""The checked-in schemas are those of the models, and agree with them about documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cartridge.workspace import schemas
from cartridge.workspace.parse import parse

ROOT = Path(__file__).parents[3]
CASES = ROOT / "tests" / "cases" / "documents"
FILES = sorted(path for path in CASES.rglob("*.yaml") if "right-" in str(path) or "shared" in str(path))

REFUSED = {
    "unknown-key-in-a-channel",
    "unknown-key-in-a-probe",
    "missing-key",
    "amount-without-a-unit",
    "amount-in-an-unknown-unit",
    "duration-in-words",
    "target-unknown",
    "name-with-capitals",
    "reference-without-version",
    "version-is-a-number",
    "number-out-of-range",
    "use-is-empty",
    "yes-where-true-belongs",
}


def plain(path: Path) -> Any:
    data, _, findings = parse(path.name, path.read_text(encoding="utf-8-sig"))
    assert not findings
    return json.loads(json.dumps(data))


@pytest.mark.parametrize("name", ["cartridge", "stack", "document"])
def test_a_checked_in_schema_is_made_from_the_models(name: str) -> None:
    file = ROOT / "schemas" / f"{name}.schema.json"

    assert file.read_text(encoding="utf-8") == schemas.text(schemas.schemas()[name]), (
        "run `python -m cartridge.workspace.schemas`"
    )


@pytest.mark.parametrize("schema", schemas.schemas().values(), ids=schemas.schemas())
def test_a_schema_is_one(schema: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.parent.name)
def test_a_right_document_passes_the_schema_of_its_kind_and_of_any(path: Path) -> None:
    data = plain(path)

    for name in (data["kind"].lower(), "document"):
        jsonschema.Draft202012Validator(schemas.schemas()[name]).validate(data)


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_an_editor_sees_what_one_document_alone_can_show(case: str) -> None:
    (path,) = (CASES / case).rglob("*.yaml")

    assert not jsonschema.Draft202012Validator(schemas.schemas()["document"]).is_valid(plain(path))
