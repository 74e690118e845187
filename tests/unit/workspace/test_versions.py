"""Which versions a reference accepts, and which of several is taken."""

from __future__ import annotations

import pytest

from cartridge.workspace import versions


@pytest.mark.parametrize(
    ("wanted", "accepted", "refused"),
    [
        ("*", "0.0.1 1.0.0 99.0.0", ""),
        ("1", "1.0.0 1.9.9", "0.9.9 2.0.0 10.0.0"),
        ("1.2", "1.2.0 1.2.9", "1.1.9 1.3.0 1.20.0"),
        ("1.2.3", "1.2.3", "1.2.2 1.2.4 1.2.30"),
        ("^1.2.3", "1.2.3 1.2.4 1.3.0", "1.2.2 2.0.0"),
        ("^1.2", "1.2.0 1.3.0", "1.1.9 2.0.0"),
        ("^1", "1.0.0 1.9.0", "0.9.0 2.0.0"),
        ("^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3.0 1.0.0"),
        ("^0.0.3", "0.0.3", "0.0.2 0.0.4"),
        ("^0", "0.0.0 0.9.0", "1.0.0"),
        ("~1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0"),
        ("~1.2", "1.2.0 1.2.9", "1.1.0 1.3.0"),
        ("~1", "1.0.0 1.9.9", "0.9.0 2.0.0"),
    ],
)
def test_a_range_accepts_what_it_says(wanted: str, accepted: str, refused: str) -> None:
    assert [version for version in accepted.split() if not versions.accepts(wanted, version)] == []
    assert [version for version in refused.split() if versions.accepts(wanted, version)] == []


def test_the_highest_version_by_number_not_by_letter_is_taken() -> None:
    assert versions.highest(["1.9.0", "1.10.0", "1.2.0", "2.0.0"], ["1", "^1.2"]) == "1.10.0"


def test_where_no_version_fits_every_range_there_is_none() -> None:
    assert versions.highest(["1.0.0", "2.0.0"], ["1", "2"]) is None
