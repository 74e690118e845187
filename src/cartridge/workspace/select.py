"""Which version of which cartridge a stack means: its `use`, and what those require, followed to the end. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from cartridge.errors import Finding
from cartridge.workspace import versions
from cartridge.workspace.documents import CartridgeFile, StackFile, Workspace
from cartridge.workspace.source import Path, Source
from cartridge.workspace.validate import suggestion

_KEEPER = "chain-keeper@1"
KEEPER, _ = versions.split(_KEEPER)
"""The cartridge that makes blocks by itself; a network with a `block_interval` has it without naming it."""


class Assembly(Struct, frozen=True):
    """A stack with its cartridges chosen.

    Attributes:
        stack: the stack.
        chosen: by name; `use` in its order, then what was pulled in.
        is_whole: whether every reference was followed; if not, what is missing may be defined in what is missing.
    """

    stack: StackFile
    chosen: Mapping[str, CartridgeFile]
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class _Want:
    """One range somebody wants: who, and where it is written."""

    wanted: str
    who: str
    source: Source = field(compare=False)
    path: Path


def dangling(workspace: Workspace, reference: str, source: Source, path: Path) -> Iterator[Finding]:
    """Yield a finding where no cartridge of the workspace answers to `reference`."""
    name, wanted = versions.split(reference)
    if name in workspace.broken:
        return
    there = workspace.cartridges.get(name)
    if there is None:
        resolution = suggestion(name, workspace.cartridges)
        yield source.finding("cartridge-unknown", f"there is no cartridge `{name}`", path, resolution=resolution)
    elif versions.highest(there, [wanted]) is None:
        brief = f"no version of `{name}` fits `@{wanted}`"
        shown = ", ".join(f"`{version}`" for version in sorted(there, key=versions.parse))
        yield source.finding("version-unknown", brief, path, resolution=f"there is {shown}")


def assemble(workspace: Workspace, stack: StackFile) -> tuple[Assembly, tuple[Finding, ...]]:
    """Return the stack with the highest versions that all ranges accept, and the clashes where there are none."""
    uses = [
        (
            use.cartridge,
            _Want(versions.split(use.cartridge)[1], f"stack `{stack.name}`", stack.source, ("use", index, "cartridge")),
        )
        for index, use in enumerate(stack.document.use)
    ]
    if interval(stack) is not None and KEEPER in workspace.cartridges:
        where = ("network", "block_interval")
        uses.append((_KEEPER, _Want("1", "`network.block_interval`", stack.source, where)))
    chosen: dict[str, CartridgeFile] = {}
    wants: dict[str, list[_Want]] = {}
    for _ in range(len(workspace.every_cartridge()) + 2):
        wants = _wants(uses, chosen)
        better = _best(workspace, wants)
        if better == chosen:
            break
        chosen = better
    missing = [name for name in wants if name not in chosen]
    clashes = tuple(_clash(name, wants[name]) for name in missing if _fits_singly(workspace, name, wants[name]))
    return Assembly(stack, chosen, is_whole=not missing), clashes


def interval(stack: StackFile) -> int | None:
    """Return the milliseconds between two blocks that the network of a stack asks for, or None."""
    return stack.document.network.block_interval if stack.document.network else None


def _wants(uses: list[tuple[str, _Want]], chosen: Mapping[str, CartridgeFile]) -> dict[str, list[_Want]]:
    wants: dict[str, list[_Want]] = {}
    for reference, want in uses:
        wants.setdefault(versions.split(reference)[0], []).append(want)
    for file in chosen.values():
        for index, reference in enumerate(file.document.requires):
            name, wanted = versions.split(reference)
            wants.setdefault(name, []).append(_Want(wanted, f"`{file.identity}`", file.source, ("requires", index)))
    return wants


def _best(workspace: Workspace, wants: Mapping[str, list[_Want]]) -> dict[str, CartridgeFile]:
    best: dict[str, CartridgeFile] = {}
    for name, wanted in wants.items():
        there = workspace.cartridges.get(name, {})
        version = versions.highest(there, [want.wanted for want in wanted])
        if version is not None:
            best[name] = there[version]
    return best


def _fits_singly(workspace: Workspace, name: str, wants: list[_Want]) -> bool:
    there = workspace.cartridges.get(name, {})
    return bool(there) and all(versions.highest(there, [want.wanted]) is not None for want in wants)


def _clash(name: str, wants: list[_Want]) -> Finding:
    first = wants[0]
    ranges = ", ".join(f"{want.who} wants `@{want.wanted}`" for want in wants)
    brief = f"no version of `{name}` fits all: {ranges}"
    return first.source.finding("version-clash", brief, first.path, resolution="let the ranges meet, or add a version")
