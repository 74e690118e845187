"""All checks of a workspace, beyond the shape of each document; every finding at once. Pure, and linear in its size.

The checks themselves are tuples of small functions in `check_cartridge`, `check_templates`, `check_stack` and
`check_network`.
"""

from __future__ import annotations

from collections.abc import Iterator

from cartridge.errors import Finding
from cartridge.workspace import check_network, versions
from cartridge.workspace.check_cartridge import CARTRIDGE_CHECKS, CartridgeCheck, cycles, is_safe_path
from cartridge.workspace.check_stack import STACK_CHECKS, StackCheck
from cartridge.workspace.check_templates import templates
from cartridge.workspace.documents import Workspace
from cartridge.workspace.select import assemble, dangling

__all__ = ["check", "is_safe_path"]

FOR_CARTRIDGES: tuple[CartridgeCheck, ...] = (*CARTRIDGE_CHECKS, templates)
FOR_STACKS: tuple[StackCheck, ...] = (*STACK_CHECKS, check_network.CHECK)


def check(workspace: Workspace) -> Iterator[Finding]:
    """Yield everything wrong with a workspace whose documents each have the right shape; may repeat a finding."""
    yield from requires_cycles(workspace)
    for file in workspace.every_cartridge():
        for cartridge_check in FOR_CARTRIDGES:
            yield from cartridge_check(file, workspace)
    for stack in workspace.stacks.values():
        for index, use in enumerate(stack.document.use):
            yield from dangling(workspace, use.cartridge, stack.source, ("use", index, "cartridge"))
        assembly, clashes = assemble(workspace, stack)
        yield from clashes
        for stack_check in FOR_STACKS:
            yield from stack_check(assembly)


def requires_cycles(workspace: Workspace) -> Iterator[Finding]:
    """No cartridge requires itself, be it through others."""
    files = {file.identity: file for file in workspace.every_cartridge()}
    graph: dict[str, list[str]] = {}
    for identity, file in files.items():
        wanted = [versions.split(reference) for reference in file.document.requires]
        found = [(name, versions.highest(workspace.cartridges.get(name, {}), [text])) for name, text in wanted]
        graph[identity] = [f"{name}@{version}" for name, version in found if version is not None]
    for cycle in cycles(graph):
        file = files[cycle[0]]
        name = versions.split(cycle[1])[0]
        index = [versions.split(reference)[0] for reference in file.document.requires].index(name)
        brief = f"cartridges require each other: {' → '.join(f'`{each}`' for each in cycle)}"
        resolution = "remove one of these requirements"
        yield file.source.finding("requires-cycle", brief, ("requires", index), resolution=resolution)
