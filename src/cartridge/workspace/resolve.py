"""A workspace and a stack's name to a resolved stack: versions chosen, settings settled, nodes expanded, in order.

Pure: the workspace has been read and checked before, so the only findings made here are about the flags of this
run (`--set`, `--target`, `--stack`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from graphlib import TopologicalSorter

from cartridge.errors import DocumentsError, InputError
from cartridge.model.cartridge import Component, Scalar
from cartridge.model.network import Channel
from cartridge.model.target import Target
from cartridge.workspace import check_stack, flags, select, versions
from cartridge.workspace.bindings import Settled, settle
from cartridge.workspace.check_compatibility import targets
from cartridge.workspace.documents import CartridgeFile, StackFile, Workspace
from cartridge.workspace.resolved import ResolvedComponent, ResolvedStack, Template
from cartridge.workspace.select import Assembly, assemble
from cartridge.workspace.validate import suggestion

SPECIAL: Mapping[str, Callable[[Channel], bool]] = {
    "zero_conf": lambda channel: channel.zero_conf,
    "taproot": lambda channel: channel.type == "taproot",
}
"""Settings that let a node have such channels: `always`, or at the ends of those that are `written`."""


def resolve(
    workspace: Workspace,
    stack: str | None = None,
    *,
    target: str | None = None,
    bindings: Mapping[str, str] | None = None,
) -> ResolvedStack:
    """Return one stack with every reference followed.

    Args:
        workspace: without findings of severity error.
        stack: which one; None where there is only one.
        target: where it is to run instead of where it says.
        bindings: `setting` or `cartridge.setting` to text, as `--set` has them; they win over the stack's.

    Raises:
        InputError: `stack-unknown`, `stack-unchosen`, `stack-absent`, `target-unknown`.
        DocumentsError: `--set` names no setting, or gives it what it does not take, or the stack has findings.
    """
    file = choose(workspace, stack)
    assembly, clashes = assemble(workspace, file)
    if clashes or not assembly.is_whole:
        raise DocumentsError.of(clashes)
    where = _target(target or file.document.target)
    if file.network is not None and (refused := tuple(targets(assembly, file.network, where.value))):
        raise DocumentsError.of(refused)
    overrides = flags.bound(assembly, bindings or {})
    settled = {name: _settled(assembly, each, overrides[name]) for name, each in assembly.chosen.items()}
    components = [
        component for each in assembly.chosen.values() for component in _components(assembly, each, settled[each.name])
    ]
    return ResolvedStack(
        name=file.name,
        target=where,
        components=_ordered(components),
        artifacts={
            name: artifact for each in assembly.chosen.values() for name, artifact in each.document.artifacts.items()
        },
        templates=_templates(workspace, components),
        network=file.network,
        inputs=workspace.inputs,
    )


def choose(workspace: Workspace, name: str | None) -> StackFile:
    """Return the stack called `name`, or the only one there is.

    Raises:
        InputError: `stack-unknown`, `stack-unchosen`, `stack-absent`.
    """
    stacks = workspace.stacks
    if not stacks:
        resolution = "write one to `stacks/`, give one with `-f`, or let `cartridge init` write an example"
        raise InputError("there is no stack here", code="stack-absent", resolution=resolution)
    if name is None and len(stacks) > 1:
        known = ", ".join(f"`{each}`" for each in stacks)
        raise InputError(
            f"there are several stacks: {known}", code="stack-unchosen", resolution="choose one with `--stack NAME`"
        )
    if name is not None and name not in stacks:
        resolution = suggestion(name, stacks)
        raise InputError(f"there is no stack `{name}`", code="stack-unknown", resolution=resolution)
    return stacks[name] if name is not None else next(iter(stacks.values()))


def _target(name: str) -> Target:
    try:
        return Target(name)
    except ValueError as error:
        resolution = suggestion(name, [target.value for target in Target])
        raise InputError(f"there is no target `{name}`", code="target-unknown", resolution=resolution) from error


def _settled(assembly: Assembly, file: CartridgeFile, overrides: Mapping[str, Scalar]) -> Settled:
    given: dict[str, Scalar] = {}
    every = select.interval(assembly.stack)
    if file.name == select.KEEPER and every is not None:
        given = {"mining": "interval", "interval": f"{every} ms"}
    for use in assembly.stack.document.use:
        if versions.split(use.cartridge)[0] == file.name:
            given |= use.bindings
    return settle(file.document, given, overrides)


def _components(assembly: Assembly, file: CartridgeFile, settled: Settled) -> Iterable[ResolvedComponent]:
    ports = {
        name: fixed
        for use in assembly.stack.document.use
        if versions.split(use.cartridge)[0] == file.name
        for name, fixed in use.ports.items()
    }
    for name, kind in check_stack.running(assembly, file).items():
        component = file.document.components[kind]
        special = _special(assembly, name, settled.values)
        yield ResolvedComponent(
            name=name,
            kind=kind,
            cartridge=file.identity,
            artifact=component.artifact,
            command=component.command,
            environment=component.environment,
            files=component.files,
            ports=component.ports,
            fixed_ports=ports.get(name, {}),
            depends_on=_dependencies(assembly, component),
            ready=component.ready,
            timeout=component.timeout,
            stop=component.stop,
            settings={**settled.values, **special},
            provenance={**settled.provenance, **dict.fromkeys(special, "network")},
            node=name if component.per == "node" else None,
        )


def _special(assembly: Assembly, name: str, settings: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
    """Return what of the settings `SPECIAL`, where a cartridge has them, one node needs for its channels."""
    network = assembly.stack.network
    mine = [one for one in (network.channels if network else ()) if name in {one.from_, one.to}]
    needed = {word for word, is_such in SPECIAL.items() if any(map(is_such, mine))}
    return {word: "always" for word in needed if settings.get(word) == "written"}


def _dependencies(assembly: Assembly, component: Component) -> tuple[str, ...]:
    """Return the names in this stack of what a component depends on; a component per node stands for all of them."""
    network = assembly.stack.network
    found: list[str] = []
    for kind in component.depends_on:
        other = next(
            file.document.components[kind] for file in assembly.chosen.values() if kind in file.document.components
        )
        if other.per == "stack":
            found.append(kind)
        else:
            nodes = network.nodes.items() if network else ()
            found += [name for name, node in nodes if node.implementation == other.implementation]
    return tuple(dict.fromkeys(found))


def _ordered(components: Iterable[ResolvedComponent]) -> tuple[ResolvedComponent, ...]:
    """Return the components so that each follows what it depends on, by name among equals."""
    by_name = {component.name: component for component in components}
    sorter = TopologicalSorter({name: component.depends_on for name, component in by_name.items()})
    sorter.prepare()
    ordered: list[ResolvedComponent] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered += [by_name[name] for name in ready]
        sorter.done(*ready)
    return tuple(ordered)


def _templates(workspace: Workspace, components: Iterable[ResolvedComponent]) -> Mapping[str, Template]:
    names = {file.template for component in components for file in component.files}
    return {name: Template(name, workspace.templates[name].text) for name in sorted(names)}
