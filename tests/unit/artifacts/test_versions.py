from __future__ import annotations

from pathlib import Path

import pytest

from cartridge.artifacts import versions
from cartridge.errors import InputError
from cartridge.model.artifact import VersionCheck


@pytest.mark.parametrize(
    ("wanted", "version", "fits"),
    [
        (">=28, <32", "31.1", True),
        (">=28, <32", "29.4.3.knots20260508", True),
        (">=28, <32", "32", False),
        (">=28, <32", "27.9.9", False),
        (">=1.25.10", "1.25.9", False),
        (">=1.25.10", "1.26", True),
        ("==0.21.2", "v0.21.2-beta", True),
        ("!=3.0", "3", False),
        (">=1", "unreadable", False),
        (">=1", "", False),
    ],
)
def test_a_version_is_in_a_range_by_its_leading_numbers(wanted: str, version: str, fits: bool) -> None:
    assert versions.accepts(wanted, version) is fits


def test_a_range_that_is_none_is_refused_with_an_example() -> None:
    with pytest.raises(InputError) as caught:
        versions.accepts("~> 3", "3")

    assert (caught.value.code, caught.value.brief) == ("version-range-invalid", "`~> 3` is no range of versions")
    assert "`>=28, <32`" in caught.value.resolution


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo 'thing version 1.2.3'", "1.2.3"),
        ("echo 'thing version 1.2.3' >&2", "1.2.3"),
        ("echo nothing", ""),
        ("echo 'thing version 1.2.3'; exit 1", ""),
    ],
)
def test_a_program_is_asked_for_its_version(tmp_path: Path, body: str, said: str) -> None:
    program = tmp_path / "thing"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)

    check = VersionCheck(command=("--version",), pattern=r"version (\S+)", accepts=">=1")

    assert versions.ask(program, check) == said


def test_a_program_that_cannot_be_run_tells_no_version(tmp_path: Path) -> None:
    assert versions.ask(tmp_path / "none", VersionCheck(command=(), pattern="x", accepts=">=1")) == ""
