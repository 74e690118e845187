"""Whatever is fed to the loader, it answers with findings or a workspace; it never raises anything else."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cartridge.errors import DocumentsError, Severity
from cartridge.model.cartridge import Cartridge
from cartridge.model.stack import Stack
from cartridge.workspace import report, shapes
from cartridge.workspace.load import Inspection, inspect
from cartridge.workspace.project import Project
from cartridge.workspace.resolve import resolve

SHARED = Path(__file__).parents[2] / "cases" / "documents" / "shared"

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.sampled_from(
        ["10 sat", "50%", "1 h", "lnd", "alice", "chain@1", "x@^0.1", "{{ a }}", "{% for", "yes", "[", ""]
    )
    | st.text(max_size=20)
)
KEYS = st.sampled_from(
    sorted(
        {key for model in (Cartridge, Stack) for key in shapes.known_keys(model)}
        | {"from", "to", "capacity", "push", "nodes", "channels", "probe", "alice", "implementation", "cartridge"}
        | {"bindings", "ports", "artifact", "command", "ready", "files", "per", "type", "default", "values", "name"}
    )
) | st.text(max_size=8)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=40,
)
DOCUMENTS = st.fixed_dictionaries(
    {"apiVersion": st.just("cartridge/v1"), "kind": st.sampled_from(["Stack", "Cartridge"])},
    optional={
        "metadata": st.just({"name": "shop", "version": "1.0.0"}) | DATA,
        "use": DATA,
        "network": DATA,
        "settings": st.dictionaries(KEYS, DATA, max_size=3),
        "profiles": DATA,
        "artifacts": st.dictionaries(KEYS, DATA, max_size=3),
        "components": st.dictionaries(KEYS, DATA, max_size=3),
    },
)


def judge(content: bytes, shipped: Path | None = None) -> Inspection:
    """Load a project of one file that holds `content`, and report on it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "stacks").mkdir()
        (root / "stacks/shop.yaml").write_bytes(content)
        inspection = inspect(Project(root, root / ".cartridge", root, shipped or root))
        said = report.text(inspection.findings, colour=True)
    assert all(finding.mark is not None and finding.mark.line >= 1 for finding in inspection.findings)
    assert said.replace("\x1b", "").replace("\n", "").isprintable()
    return inspection


@given(st.binary(max_size=300))
def test_bytes(content: bytes) -> None:
    judge(content)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@`#,? \n\t~<\\", max_size=60))
def test_text_of_characters_that_mean_something_in_yaml(content: str) -> None:
    judge(content.encode())


@given(DATA)
def test_any_data_as_yaml(data: Any) -> None:
    judge(yaml.safe_dump(data, allow_unicode=True).encode())


@settings(max_examples=200)
@given(DOCUMENTS)
def test_documents_with_anything_in_them(data: Any) -> None:
    inspection = judge(yaml.safe_dump(data, sort_keys=False).encode(), SHARED)

    wrong = [finding for finding in inspection.findings if finding.severity is Severity.ERROR]
    if not wrong and inspection.workspace.stacks:
        assert resolve(inspection.workspace).name == "shop"


RIGHT = (SHARED.parent / "right-pair/stacks/shop.yaml").read_bytes()


@settings(max_examples=200)
@given(st.integers(0, len(RIGHT) - 1), st.integers(0, 12), st.binary(max_size=6))
def test_a_right_document_with_some_bytes_exchanged(start: int, count: int, instead: bytes) -> None:
    inspection = judge(RIGHT[:start] + instead + RIGHT[start + count :], SHARED)

    if not any(finding.severity is Severity.ERROR for finding in inspection.findings):
        try:
            resolve(inspection.workspace)
        except DocumentsError as error:
            raise AssertionError(error.findings) from error
