"""References to secrets are resolved when asked, and an error names the reference, never a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from cartridge.errors import MissingError
from cartridge.targets.secrets import resolve

VARIABLES = {"TOKEN": "hush"}


def test_references_become_values_and_the_rest_stays(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("two\nlines\n")

    found = resolve(
        {"A": "secret:env:TOKEN", "B": f"secret:file:{tmp_path}/key", "C": "plain", "D": "no secret:env:TOKEN"},
        VARIABLES.get,
    )

    assert found == {"A": "hush", "B": "two\nlines", "C": "plain", "D": "no secret:env:TOKEN"}


@pytest.mark.parametrize(
    ("reference", "brief"),
    [
        ("secret:env:NONE", "the secret for A is not there: the variable NONE is not set"),
        ("secret:file:/no/such", "the secret for A is not there: `/no/such` cannot be read: No such file or directory"),
        ("secret:vault:x", "the secret for A is not there: `secret:vault:` is no kind of reference"),
        ("secret:", "the secret for A is not there: `secret::` is no kind of reference"),
    ],
)
def test_what_is_not_there_is_named(reference: str, brief: str) -> None:
    with pytest.raises(MissingError) as missing:
        resolve({"A": reference}, VARIABLES.get)

    assert (missing.value.code, missing.value.brief) == ("secret-missing", brief)
    assert missing.value.resolution
