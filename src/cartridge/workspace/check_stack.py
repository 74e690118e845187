"""What can be wrong between a stack and its cartridges: small checks, each yielding all of its kind. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from cartridge.errors import Finding, Severity
from cartridge.model.stack import Use
from cartridge.workspace import versions
from cartridge.workspace.bindings import WrongValueError, value_of
from cartridge.workspace.documents import CartridgeFile
from cartridge.workspace.names import PROFILE
from cartridge.workspace.select import Assembly
from cartridge.workspace.source import Path
from cartridge.workspace.validate import suggestion

StackCheck = Callable[[Assembly], Iterator[Finding]]


def _uses(assembly: Assembly) -> Iterator[tuple[int, Use, CartridgeFile]]:
    for index, use in enumerate(assembly.stack.document.use):
        file = assembly.chosen.get(versions.split(use.cartridge)[0])
        if file is not None:
            yield index, use, file


def running(assembly: Assembly, file: CartridgeFile) -> Mapping[str, str]:
    """Return the names under which a cartridge's components run in this stack, and of which kind each is.

    A component per node runs under the name of each of its nodes, any other under its own.
    """
    network = assembly.stack.network
    nodes = network.nodes if network else {}
    found: dict[str, str] = {}
    for kind, component in file.document.components.items():
        if component.per == "stack":
            found[kind] = kind
        else:
            implementation = component.implementation
            found |= {name: kind for name, node in nodes.items() if node.implementation == implementation}
    return found


def used_twice(assembly: Assembly) -> Iterator[Finding]:
    """A stack names each cartridge once."""
    taken: dict[str, int] = {}
    for index, use in enumerate(assembly.stack.document.use):
        name = versions.split(use.cartridge)[0]
        if name in taken:
            path = ("use", index, "cartridge")
            brief = f"`{name}` is used twice in one stack"
            yield assembly.stack.source.finding("cartridge-twice", brief, path, resolution="merge the two entries")
        taken[name] = index


def bindings(assembly: Assembly) -> Iterator[Finding]:
    """Bindings name settings that exist and give values they take."""
    source = assembly.stack.source
    for index, use, file in _uses(assembly):
        known = file.document.settings
        for name, given in use.bindings.items():
            path: Path = ("use", index, "bindings", name)
            if name == PROFILE:
                if given not in file.document.profiles:
                    brief = f"`{file.name}` has no profile `{given}`"
                    resolution = suggestion(str(given), file.document.profiles) or "remove this binding"
                    yield source.finding("profile-unknown", brief, path, resolution=resolution)
            elif name not in known:
                brief = f"`{file.identity}` has no setting `{name}`"
                names = [*known, *([PROFILE] if file.document.profiles else [])]
                yield source.finding(
                    "setting-unknown", brief, path, key=True, resolution=suggestion(name, names) or "remove it"
                )
            elif known[name].type != "enum" or known[name].values:
                try:
                    value_of(name, known[name], given)
                except WrongValueError as error:
                    yield source.finding(error.code, error.brief, path, resolution=error.resolution)


def unbound(assembly: Assembly) -> Iterator[Finding]:
    """Every compulsory setting of every cartridge has a value."""
    used = {file.name: (index, use) for index, use, file in _uses(assembly)}
    for file in assembly.chosen.values():
        index, use = used.get(file.name, (None, None))
        given = dict(use.bindings) if use else {}
        profile = str(given.get(PROFILE, file.document.default_profile))
        have = given.keys() | file.document.profiles.get(profile, {}).keys()
        for name, setting in file.document.settings.items():
            if setting.default is None and name not in have:
                brief = f"stack `{assembly.stack.name}` gives nothing to setting `{name}` of `{file.identity}`"
                path: Path = ("use",) if index is None else ("use", index, "cartridge")
                place = "`bindings`" if use else f"`bindings` of an entry `cartridge: {file.name}@*`"
                resolution = f"add `{name}: …` under {place}; it is {setting.description or 'compulsory'}"
                yield assembly.stack.source.finding("setting-unbound", brief, path, resolution=resolution)


def dependencies(assembly: Assembly) -> Iterator[Finding]:
    """What components depend on is there in the versions this stack chose."""
    if not assembly.is_whole:
        return
    known = {name for file in assembly.chosen.values() for name in file.document.components}
    for file in assembly.chosen.values():
        for name, component in file.document.components.items():
            for index, other in enumerate(component.depends_on):
                if other not in known:
                    brief = f"component `{name}` depends on `{other}`, which is no component here"
                    path = ("components", name, "depends_on", index)
                    resolution = suggestion(other, sorted(known))
                    yield file.source.finding("dependency-unknown", brief, path, resolution=resolution)


def names(assembly: Assembly) -> Iterator[Finding]:
    """No two things that run have one name, be they components or nodes, nor two artifacts that differ."""
    taken: dict[str, CartridgeFile] = {}
    for file in assembly.chosen.values():
        for kind, component in file.document.components.items():
            if component.per == "node":
                continue
            if kind in taken:
                brief = f"component `{kind}` is defined by `{taken[kind].identity}` already"
                at: Path = ("components", kind)
                yield file.source.finding("name-collision", brief, at, key=True, resolution="rename one of them")
            taken.setdefault(kind, file)
    network = assembly.stack.network
    for name in network.nodes if network else ():
        if name in taken:
            brief = f"node `{name}` has the name of a component of `{taken[name].identity}`"
            at = ("network", "nodes", name)
            yield assembly.stack.source.finding("name-collision", brief, at, key=True, resolution="rename the node")


def artifacts(assembly: Assembly) -> Iterator[Finding]:
    """Artifacts of one name in two cartridges are one and the same."""
    taken: dict[str, CartridgeFile] = {}
    for file in assembly.chosen.values():
        for name, artifact in file.document.artifacts.items():
            other = taken.setdefault(name, file)
            if other.document.artifacts[name] != artifact:
                brief = f"`{other.identity}` has another artifact called `{name}`"
                path = ("artifacts", name)
                resolution = "rename one of them, or make them equal"
                yield file.source.finding("artifact-collision", brief, path, key=True, resolution=resolution)


def fixed_ports(assembly: Assembly) -> Iterator[Finding]:
    """Fixed host ports belong to ports that exist, are port numbers, and are given once."""
    source, taken = assembly.stack.source, dict[int, str]()
    for index, use, file in _uses(assembly):
        there = running(assembly, file)
        for name, ports in use.ports.items():
            path: Path = ("use", index, "ports", name)
            if name not in there:
                brief = f"`{file.identity}` runs nothing called `{name}` in this stack"
                yield source.finding(
                    "port-owner-unknown", brief, path, key=True, resolution=suggestion(name, there) or "remove it"
                )
                continue
            declared = file.document.components[there[name]].ports
            for port, number in ports.items():
                at = (*path, port)
                if port not in declared:
                    brief = f"`{name}` has no port `{port}`"
                    resolution = suggestion(port, declared) or "remove it"
                    yield source.finding("port-unknown", brief, at, key=True, resolution=resolution)
                elif not 1 <= number <= 65_535:
                    brief = f"`{number}` is not a port"
                    yield source.finding("out-of-range", brief, at, resolution="write a number from 1 to 65535")
                elif number in taken:
                    brief = f"host port {number} is given to `{taken[number]}` already"
                    yield source.finding("port-twice", brief, at, resolution="give it another number, or none")
                taken.setdefault(number, f"{name}.{port}")


def placed(assembly: Assembly) -> Iterator[Finding]:
    """Components that run per node have nodes to run for."""
    if assembly.stack.network is not None:
        return
    for file in assembly.chosen.values():
        for kind, component in file.document.components.items():
            if component.per == "node":
                brief = f"`{kind}` of `{file.identity}` runs once per node, but this stack has no `network`"
                yield assembly.stack.source.finding(
                    "network-missing",
                    brief,
                    ("use",),
                    resolution="add `network` with its nodes, if it is to run",
                    severity=Severity.WARNING,
                )


STACK_CHECKS: tuple[StackCheck, ...] = (
    used_twice,
    bindings,
    unbound,
    dependencies,
    names,
    artifacts,
    fixed_ports,
    placed,
)
