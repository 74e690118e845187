"""Versions as programs print them, and ranges such as `>=28, <32`.

Only the leading dotted numbers count: `0.21.2-beta` is 0.21.2. Never guesses: what cannot be read is "".
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cartridge import spawn
from cartridge.errors import CartridgeError, InputError

if TYPE_CHECKING:
    from cartridge.model.artifact import VersionCheck

Version = tuple[int, ...]

_COMPARE: Mapping[str, Callable[[Version, Version], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}
_CLAUSE = re.compile(r"^\s*(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+)*)\s*$")


def parse(text: str) -> Version:
    """Return the leading dotted numbers of `text` (a `v` before them is passed over); () where there are none."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", text.strip())
    return tuple(int(number) for number in found[1].split(".")) if found else ()


def accepts(wanted: str, version: str) -> bool:
    """Return whether `version` is in the range `wanted`; an unreadable version is in none.

    Raises:
        InputError: `version-range-invalid`.
    """
    have = parse(version)
    if not have:
        return False
    for clause in wanted.split(","):
        match = _CLAUSE.match(clause)
        if match is None:
            raise InputError(
                f"`{wanted}` is no range of versions",
                code="version-range-invalid",
                resolution="write comparisons with commas between them, such as `>=28, <32`",
            )
        limit = parse(match[2])
        width = max(len(have), len(limit))
        if not _COMPARE[match[1]](_padded(have, width), _padded(limit, width)):
            return False
    return True


def ask(program: Path, check: VersionCheck) -> str:
    """Return the version a program says it has, or "" where it says none within ten seconds."""
    try:
        done = spawn.run([str(program), *check.command], timeout=10.0)
    except CartridgeError:
        return ""
    found = re.search(check.pattern, done.stdout + done.stderr)
    if done.status or found is None:
        return ""
    return found[1] if found.groups() else found[0]


def _padded(version: Version, width: int) -> Version:
    return version + (0,) * (width - len(version))
