"""`init`: writes a small project to begin with; never overwrites a file."""

from __future__ import annotations

from pathlib import Path

from cartridge.errors import InputError
from cartridge.workspace.bundled import bundled

FIRST = "lightning-pair"
"""The example written where none is named: the shipped stack."""
_IGNORED = "/.cartridge/\n"


def examples() -> dict[str, Path]:
    """Return the documents of the shipped stacks by name, the first one first."""
    found = {path.stem: path for folder in ("stacks", "examples") for path in (bundled() / folder).glob("*.yaml")}
    return dict(sorted(found.items(), key=lambda item: (item[0] != FIRST, item[0])))


def init(folder: Path, *, example: str = FIRST) -> tuple[str, ...]:
    """Write the example's stack into `folder` and return the files written, relative to it.

    Cartridges, templates and the lock come with the installation until the project has its own.

    Raises:
        InputError: `example-unknown`, or `file-exists` before anything is written.
    """
    there = examples()
    if example not in there:
        raise InputError(
            f"there is no example `{example}`", code="example-unknown", resolution=f"one of {', '.join(there)}"
        )
    stack = there[example].read_text(encoding="utf-8")
    files = {f"stacks/{example}.yaml": stack, ".gitignore": _IGNORED}
    if taken := [path for path in files if (folder / path).exists() and path != ".gitignore"]:
        raise InputError(
            f"`{taken[0]}` is there already", code="file-exists", resolution="choose another folder, or edit that file"
        )
    written = []
    for path, text in files.items():
        if (folder / path).exists():
            continue
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
        written.append(path)
    return tuple(written)
