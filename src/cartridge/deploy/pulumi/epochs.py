"""Which data each component is to have: a number that rises when a change asks for other data.

Kept in the stack's folder and written before Pulumi is asked. A replacement whose container is there already as wanted
was carried out before: a repeat asks for nothing new.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from cartridge.plan.change import Change, ChangeKind

NAME = "epochs.json"


def read(folder: Path) -> dict[str, int]:
    """Return the numbers asked for last; empty where there are none."""
    try:
        return {str(name): int(number) for name, number in json.loads((folder / NAME).read_bytes()).items()}
    except FileNotFoundError:
        return {}


def write(folder: Path, numbers: Mapping[str, int]) -> None:
    """Keep the numbers."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = folder / f".{NAME}"
    beside.write_text(json.dumps(numbers), encoding="utf-8")
    beside.replace(folder / NAME)


def after(numbers: Mapping[str, int], changes: Sequence[Change], made: Collection[str]) -> dict[str, int]:
    """Return the numbers once these changes are carried out; `made` are the components that are there as wanted."""
    asked = {change.resource.partition("/")[2] for change in changes if change.kind is ChangeKind.REPLACE}
    return {**numbers, **{name: numbers.get(name, 0) + 1 for name in asked if name not in made}}
