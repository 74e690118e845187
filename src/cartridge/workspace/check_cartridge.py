"""What can be wrong inside one cartridge: a tuple of small checks, each of which yields every finding of its kind.

Pure. A check takes the cartridge and the workspace it is in, and never raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

from cartridge.errors import Finding
from cartridge.model.cartridge import HttpProbe, LogProbe, Scalar, Setting, TcpProbe
from cartridge.workspace import versions
from cartridge.workspace.bindings import WrongValueError, value_of
from cartridge.workspace.documents import CartridgeFile, Workspace
from cartridge.workspace.names import PROFILE
from cartridge.workspace.select import dangling
from cartridge.workspace.source import Path, Source
from cartridge.workspace.validate import suggestion

_RANGE = re.compile(r"\s*(>=|<=|>|<|==|=)?\s*v?\d+(\.\d+)*\s*(,\s*(>=|<=|>|<|==|=)?\s*v?\d+(\.\d+)*\s*)*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(r"secret:(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)")

CartridgeCheck = Callable[[CartridgeFile, Workspace], Iterator[Finding]]


def is_safe_path(path: str) -> bool:
    """Return whether `path` is relative and stays below the folder it starts in."""
    pure = PurePosixPath(path)
    return bool(path) and not pure.is_absolute() and ".." not in pure.parts and "\\" not in path and path[-1] != "/"


def requires(file: CartridgeFile, workspace: Workspace) -> Iterator[Finding]:
    """Every required cartridge is there, in a version that fits."""
    for index, reference in enumerate(file.document.requires):
        yield from dangling(workspace, reference, file.source, ("requires", index))


def artifacts(file: CartridgeFile, _: Workspace) -> Iterator[Finding]:
    """Every component's artifact is declared."""
    known = file.document.artifacts
    for name, component in file.document.components.items():
        if component.artifact not in known:
            brief = f"component `{name}` runs the artifact `{component.artifact}`, which is not declared"
            path = ("components", name, "artifact")
            yield file.source.finding("artifact-unknown", brief, path, resolution=suggestion(component.artifact, known))


def depends_on(file: CartridgeFile, workspace: Workspace) -> Iterator[Finding]:
    """Every dependency is a component of this cartridge or of a required one."""
    known = reachable(file, workspace)
    for name, component in file.document.components.items():
        for index, other in enumerate(component.depends_on):
            if known is not None and other not in known:
                brief = f"component `{name}` depends on `{other}`, which is no component here"
                path = ("components", name, "depends_on", index)
                yield file.source.finding("dependency-unknown", brief, path, resolution=suggestion(other, known))


def reachable(file: CartridgeFile, workspace: Workspace) -> Mapping[str, str] | None:
    """Return the components of a cartridge and of all it requires; None where not all of those are known."""
    found: dict[str, str] = {}
    waiting, seen = [file], {file.identity}
    while waiting:
        current = waiting.pop()
        found |= dict.fromkeys(current.document.components, current.identity)
        for reference in current.document.requires:
            name, wanted = versions.split(reference)
            there = workspace.cartridges.get(name, {})
            version = versions.highest(there, [wanted])
            if version is None:
                return None
            if there[version].identity not in seen:
                seen.add(there[version].identity)
                waiting.append(there[version])
    return found


def dependency_cycles(file: CartridgeFile, _: Workspace) -> Iterator[Finding]:
    """No component waits for itself."""
    components = file.document.components
    graph = {
        name: [other for other in component.depends_on if other in components] for name, component in components.items()
    }
    for cycle in cycles(graph):
        first, second = cycle[0], cycle[1]
        path = ("components", first, "depends_on", components[first].depends_on.index(second))
        brief = f"components wait for each other: {' → '.join(f'`{name}`' for name in cycle)}"
        yield file.source.finding("depends-cycle", brief, path, resolution="remove one of these dependencies")


def cycles(graph: Mapping[str, list[str]]) -> Iterator[list[str]]:
    """Yield a closed walk (first node again at the end) for each cycle, until none is left or ten were found."""
    from graphlib import CycleError, TopologicalSorter

    left = {name: list(others) for name, others in graph.items()}
    for _ in range(10):
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            walk: list[str] = list(reversed(error.args[1]))
            start = walk.index(min(walk))
            walk = walk[start:-1] + walk[:start] + [walk[start]]
            left[walk[0]].remove(walk[1])
            yield walk
        else:
            return


def placements(file: CartridgeFile, _: Workspace) -> Iterator[Finding]:
    """`per: node` and `implementation` come together, and no two components share an implementation."""
    taken: dict[str, str] = {}
    for name, component in file.document.components.items():
        path: Path = ("components", name)
        if component.per == "node" and component.implementation is None:
            brief = f"component `{name}` runs per node, but does not say for which `implementation`"
            resolution = f"add `implementation: {name}`"
            yield file.source.finding("implementation-missing", brief, (*path, "per"), key=True, resolution=resolution)
        elif component.per == "stack" and component.implementation is not None:
            brief = f"component `{name}` has an `implementation`, but runs once per stack"
            at = (*path, "implementation")
            yield file.source.finding("implementation-unused", brief, at, key=True, resolution="add `per: node`")
        elif component.implementation in taken:
            brief = f"`{component.implementation}` is implemented by `{taken[component.implementation]}` already"
            at = (*path, "implementation")
            yield file.source.finding("implementation-twice", brief, at, resolution="choose another name for it")
        elif component.implementation is not None:
            taken[component.implementation] = name


def probes(file: CartridgeFile, _: Workspace) -> Iterator[Finding]:
    """A probe asks a port the component has, and its pattern is a regular expression."""
    for name, component in file.document.components.items():
        ready, path = component.ready, ("components", name, "ready")
        if isinstance(ready, TcpProbe | HttpProbe) and ready.port not in component.ports:
            brief = f"the probe of `{name}` asks the port `{ready.port}`, which it does not have"
            resolution = suggestion(ready.port, component.ports) or "declare it under `ports`"
            yield file.source.finding("port-unknown", brief, (*path, "port"), resolution=resolution)
        if isinstance(ready, LogProbe):
            yield from _pattern(file.source, ready.pattern, (*path, "pattern"))


def version_checks(file: CartridgeFile, _: Workspace) -> Iterator[Finding]:
    """How an artifact's version is found out and judged can be understood."""
    for name, artifact in file.document.artifacts.items():
        if artifact.version is None:
            continue
        path = ("artifacts", name, "version")
        yield from _pattern(file.source, artifact.version.pattern, (*path, "pattern"), groups=1)
        if not _RANGE.fullmatch(artifact.version.accepts):
            brief = f"`{artifact.version.accepts}` is not a range of versions"
            resolution = "write limits with commas between, such as `>=28, <32`"
            yield file.source.finding("bad-range", brief, (*path, "accepts"), resolution=resolution)


def _pattern(source: Source, pattern: str, path: Path, groups: int = 0) -> Iterator[Finding]:
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        brief = f"this is not a regular expression: {error}"
        yield source.finding("bad-pattern", brief, path, resolution="mend it; a literal bracket needs a backslash")
        return
    if compiled.groups < groups:
        brief = "this regular expression has no group to take the version from"
        yield source.finding("bad-pattern", brief, path, resolution="put brackets around the version's part")


def files(file: CartridgeFile, _: Workspace) -> Iterator[Finding]:
    """Rendered files stay in their folder, and no two are one."""
    for name, component in file.document.components.items():
        taken: set[str] = set()
        for index, entry in enumerate(component.files):
            path = ("components", name, "files", index)
            for key, value in (("path", entry.path), ("template", entry.template)):
                if not is_safe_path(value):
                    brief = f"`{value}` leaves the folder it belongs in"
                    resolution = "write a relative path without `..`"
                    yield file.source.finding("path-unsafe", brief, (*path, key), resolution=resolution)
            if entry.path in taken:
                brief = f"component `{name}` has the file `{entry.path}` twice"
                yield file.source.finding("file-twice", brief, (*path, "path"), resolution="remove one, or rename it")
            taken.add(entry.path)


def environments(file: CartridgeFile, _: Workspace) -> Iterator[Finding]:
    """Names of variables are such, and references to secrets say where those are."""
    for name, component in file.document.components.items():
        for variable, value in component.environment.items():
            if value.startswith("secret:") and not _SECRET.fullmatch(value):
                path: Path = ("components", name, "environment", variable)
                brief = f"the value of `{variable}` is no reference to a secret"
                resolution = "write `secret:env:NAME` or `secret:file:PATH`"
                yield file.source.finding("bad-secret", brief, path, resolution=resolution)
            if not _VARIABLE.fullmatch(variable):
                brief = f"`{variable}` cannot be the name of a variable"
                path = ("components", name, "environment", variable)
                resolution = "use letters, digits and underscores"
                yield file.source.finding("bad-variable-name", brief, path, key=True, resolution=resolution)


def settings(file: CartridgeFile, _: Workspace) -> Iterator[Finding]:
    """A setting's default and limits are values of its type; an enum has choices, and nothing else has."""
    for name, setting in file.document.settings.items():
        path: Path = ("settings", name)
        if name == PROFILE:
            brief = "a setting cannot be called `profile`: that binding chooses the profile"
            yield file.source.finding("bad-name", brief, path, key=True, resolution="choose another name")
        if (setting.type == "enum") is not bool(setting.values):
            brief = f"`{name}` is of type `{setting.type}` " + (
                "without" if setting.type == "enum" else "with `values`"
            )
            brief += " `values`" if setting.type == "enum" else ""
            resolution = "add `values: [...]`" if setting.type == "enum" else "remove `values`, or write `type: enum`"
            yield file.source.finding("setting-values", brief, (*path, "type"), resolution=resolution)
            continue
        unbounded = setting.model_copy(update={"minimum": None, "maximum": None})
        limits = [
            *_value(file, name, unbounded, setting.minimum, (*path, "minimum")),
            *_value(file, name, unbounded, setting.maximum, (*path, "maximum")),
        ]
        yield from limits
        if not limits:
            yield from _value(file, name, setting, setting.default, (*path, "default"))
            yield from _crossed(file, name, setting, path)


def _crossed(file: CartridgeFile, name: str, setting: Setting, path: Path) -> Iterator[Finding]:
    if setting.minimum is None or setting.maximum is None:
        return
    try:
        value_of(name, setting.model_copy(update={"maximum": None}), setting.maximum)
    except WrongValueError:
        brief = f"`{name}` has a minimum of `{setting.minimum}` above its maximum of `{setting.maximum}`"
        yield file.source.finding("setting-range", brief, (*path, "minimum"), resolution="swap them")


def _value(file: CartridgeFile, name: str, setting: Setting, given: Scalar | None, path: Path) -> Iterator[Finding]:
    if given is None:
        return
    try:
        value_of(name, setting, given)
    except WrongValueError as error:
        yield file.source.finding(error.code, error.brief, path, resolution=error.resolution)


def profiles(file: CartridgeFile, _: Workspace) -> Iterator[Finding]:
    """A profile sets settings that exist to values they take; the default profile is one of them."""
    document = file.document
    for profile, values in document.profiles.items():
        for name, given in values.items():
            path = ("profiles", profile, name)
            if name not in document.settings:
                brief = f"profile `{profile}` sets `{name}`, which is no setting of `{file.name}`"
                resolution = suggestion(name, document.settings)
                yield file.source.finding("setting-unknown", brief, path, key=True, resolution=resolution)
            elif document.settings[name].type != "enum" or document.settings[name].values:
                yield from _value(file, name, document.settings[name], given, path)
    if document.default_profile is not None and document.default_profile not in document.profiles:
        brief = f"there is no profile `{document.default_profile}`"
        resolution = suggestion(document.default_profile, document.profiles) or "declare it under `profiles`"
        yield file.source.finding("profile-unknown", brief, ("default_profile",), resolution=resolution)


CARTRIDGE_CHECKS: tuple[CartridgeCheck, ...] = (
    requires,
    artifacts,
    depends_on,
    dependency_cycles,
    placements,
    probes,
    version_checks,
    files,
    environments,
    settings,
    profiles,
)
