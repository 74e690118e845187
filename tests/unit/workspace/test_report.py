"""A finding as text, in whole blocks."""

from __future__ import annotations

from cartridge.errors import Finding, Mark, Severity
from cartridge.workspace import report

FINDING = Finding(
    "unknown-key",
    "unknown key `capcity` in a channel",  # codespell:ignore
    Mark("stacks/shop.yaml", 12, 7),
    "did you mean `capacity`?",
    "      capcity: 10_000_000 sat",  # codespell:ignore
)


def test_a_finding_shows_its_place() -> None:
    assert report.one(FINDING) == (
        "error[unknown-key]: unknown key `capcity` in a channel\n"  # codespell:ignore
        "  --> stacks/shop.yaml:12:7\n"
        "   |\n"
        "12 |       capcity: 10_000_000 sat\n"  # codespell:ignore
        "   |       ^^^^^^^\n"
        "  try: did you mean `capacity`?"
    )


def test_colour_only_adds_to_the_text() -> None:
    import re

    coloured = report.one(FINDING, colour=True)

    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == report.one(FINDING)
    assert "\x1b[1;31merror[unknown-key]\x1b[0m" in coloured


def test_several_findings_stand_apart() -> None:
    bare = Finding("x", "something", severity=Severity.WARNING)

    assert report.text([bare, bare]) == "warning[x]: something\n\nwarning[x]: something\n"


def test_a_long_line_is_shown_around_the_place() -> None:
    line = "a: " + "x" * 200 + ", wrong, " + "y" * 200
    said = report.one(Finding("x", "y", Mark("f", 1, line.index("wrong") + 1), snippet=line)).splitlines()

    assert len(said[-2]) == len("1 | ") + 120
    assert said[-2][said[-1].index("^") :].startswith("wrong, y")
    assert said[-1].count("^") == len("wrong")


def test_nothing_in_a_document_reaches_the_terminal_as_a_control_sequence() -> None:
    said = report.one(Finding("x", "the key `\x1b[31m`", Mark("a\nb", 1, 1), snippet="\t\x1b]0;title\x07: 1"))

    assert said == "error[x]: the key `�[31m`\n --> a�b:1:1\n  |\n1 | →�]0;title�: 1\n  | ^"


def test_a_place_behind_the_end_of_its_line_is_shown_at_the_end() -> None:
    assert report.one(Finding("x", "y", Mark("f", 1, 99), snippet="ab")).endswith("1 | ab\n  |   ^")
