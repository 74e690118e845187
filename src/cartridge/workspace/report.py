"""A finding as text: what, where, the line with a caret under the place, and what to do about it. Pure.

Readable without colour; with it, errors are red, warnings yellow, hints cyan. Nothing in a document can reach the
terminal as a control sequence: whatever is not printable is shown as `�`,
a tab as `→`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cartridge.errors import Finding, Severity

_WIDTH = 120
_CARETS = 60
_TOKEN = re.compile(
    r"""
    "(?:[^"\\]|\\.)*" | '(?:[^']|'')*'                    # a quoted text
    | [^\s,\[\]{}:\#"'] (?: [^\s,\[\]{}:] | :(?=\S) )*    # a word
      (?: [ ] (?: [^\s,\[\]{}:\#] (?: [^\s,\[\]{}:] | :(?=\S) )* ) )*  # and the words after it
    """,
    re.VERBOSE,
)
_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33"}


def text(findings: Iterable[Finding], *, colour: bool = False) -> str:
    """Return the findings in the order given, with an empty line between them and a newline at the end."""
    return "\n".join(f"{one(finding, colour=colour)}\n" for finding in findings)


def one(finding: Finding, *, colour: bool = False) -> str:
    """Return one finding as lines, without a newline at the end."""
    paint = _painted if colour else _plain
    weight = _COLOURS[finding.severity]
    lines = [paint(f"{finding.severity.value}[{finding.code}]", f"1;{weight}") + f": {_clean(finding.brief)}"]
    margin = ""
    if finding.mark is not None:
        number = str(finding.mark.line)
        margin = " " * len(number)
        lines.append(f"{margin}{paint('-->', '2')} {_clean(str(finding.mark))}")
    if finding.mark is not None and finding.snippet.strip():
        shown, column, width = _window(finding.snippet, finding.mark.column - 1)
        lines.append(f"{margin} |")
        lines.append(f"{finding.mark.line} | {_clean(shown)}".rstrip())
        lines.append(f"{margin} | " + " " * column + paint("^" * width, weight))
    if finding.resolution:
        lines.append(f"  {paint('try', '36')}: {_clean(finding.resolution)}")
    return "\n".join(lines)


def _window(line: str, column: int) -> tuple[str, int, int]:
    """Return the part of a line worth showing, the column of the place in it and how wide the place is."""
    column = min(column, len(line))
    match = _TOKEN.match(line, column)
    width = max(1, min(_CARETS, len(match[0].rstrip()))) if match else 1
    start = 0 if len(line) <= _WIDTH else max(0, min(column - _WIDTH // 3, len(line) - _WIDTH))
    shown = line[start : start + _WIDTH]
    return shown, column - start, min(width, max(1, len(shown) - (column - start)))


def _clean(words: str) -> str:
    return "".join(letter if letter.isprintable() else "→" if letter == "\t" else "�" for letter in words)


def _plain(words: str, _style: str) -> str:
    return words


def _painted(words: str, style: str) -> str:
    return f"\x1b[{style}m{words}\x1b[0m"
