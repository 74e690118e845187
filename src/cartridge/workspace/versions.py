"""Which versions a reference such as `lightning@^1.2` accepts. Pure.

`@1` and `@1.2` accept every version that begins so, `@1.2.3` that one, `@^1.2.3` it and later ones that break
nothing (the leftmost number that is not 0 stays), `@~1.2.3` it and later ones of the same `1.2`, `@*` any.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Version = tuple[int, ...]


def split(reference: str) -> tuple[str, str]:
    """Return name and range of a well-formed reference."""
    name, _, wanted = reference.partition("@")
    return name, wanted


def parse(version: str) -> Version:
    """Return the numbers of `1.2.3`."""
    return tuple(int(part) for part in version.split("."))


def accepts(wanted: str, version: str) -> bool:
    """Return whether the range `wanted` (what follows the `@`) accepts `version`."""
    if wanted == "*":
        return True
    found, least = parse(version), parse(wanted.lstrip("^~"))
    return found >= least and found[: _kept(wanted, least)] == least[: _kept(wanted, least)]


def highest(versions: Iterable[str], ranges: Sequence[str]) -> str | None:
    """Return the highest version that every range accepts, or None."""
    fitting = [version for version in versions if all(accepts(wanted, version) for wanted in ranges)]
    return max(fitting, key=parse, default=None)


def _kept(wanted: str, least: Version) -> int:
    """Return how many leading numbers may not change."""
    if wanted.startswith("^"):
        return next((index + 1 for index, number in enumerate(least) if number), len(least))
    return min(2, len(least)) if wanted.startswith("~") else len(least)
