"""From the documents to a plan, and from a plan to what an engine is handed. Starts nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from cartridge.artifacts.installed import Installed
from cartridge.deploy import statefile
from cartridge.deploy.engine import Wanted
from cartridge.errors import InputError
from cartridge.operations.access.context import Context
from cartridge.operations.access.programs import pins
from cartridge.plan.change import Plan
from cartridge.plan.digest import component_parts, digest
from cartridge.plan.planner import plan
from cartridge.plan.state import ComponentRecord, State
from cartridge.render.bundle import Bundle, RenderedComponent, RenderedFile
from cartridge.render.templates import fill
from cartridge.targets.copying import Content
from cartridge.workspace.resolved import ResolvedStack

if TYPE_CHECKING:
    from cartridge.model.cartridge import Port

Seed = Callable[[], Mapping[str, Content]]


def planned(context: Context) -> tuple[ResolvedStack, State | None, Plan]:
    """Return the chosen stack, what its last `up` left, and the plan between the two.

    Raises:
        DocumentsError: the files are wrong.
        InputError: `target-changed`, the stack is up on another target.
    """
    stack = context.resolved()
    stack_id = context.stack_id(stack.name)
    context.about(stack_id, stack.target.value)
    state = statefile.read(context.folder(stack_id))
    if state is not None and state.target != stack.target.value:
        raise InputError(
            f"`{stack.name}` is up on target `{state.target}`, not `{stack.target.value}`",
            code="target-changed",
            resolution=f"`cartridge down` first, or go on with `--target {state.target}`",
        )
    return stack, state, plan(stack_id, stack, state, pins(context, stack))


def needs(
    stack: ResolvedStack, installed: Mapping[str, Installed]
) -> dict[str, tuple[Mapping[str, Port], Mapping[str, int], Installed]]:
    """Return what `Engine.place` is handed: by component its ports, the host ports it insists on, its programs."""
    return {one.name: (one.ports, one.fixed_ports, installed[one.artifact]) for one in stack.components}


def assemble(
    stack: ResolvedStack,
    bundle: Bundle,
    installed: Mapping[str, Installed],
    secrets: Mapping[str, str],
    seeds: Mapping[str, Seed],
    digests: Mapping[str, str],
) -> tuple[Wanted, ...]:
    """Return what the engine shall make, in dependency order.

    Args:
        stack: what is wanted.
        bundle: its rendered files, with placeholders.
        installed: programs by artifact.
        secrets: fill the placeholders.
        seeds: by component, what its fresh data folder holds.
        digests: by component.
    """
    return tuple(
        Wanted(
            name=component.name,
            digest=digests[component.name],
            installed=installed[component.artifact],
            rendered=_filled(bundle.components[component.name], secrets),
            ports=component.ports,
            host_ports=component.fixed_ports,
            depends_on=component.depends_on,
            stop=component.stop,
            seed=seeds.get(component.name),
            one_shot=component.ready.probe == "exit",
        )
        for component in stack.components
    )


def records(
    stack: ResolvedStack, pinned: Mapping[str, str], ports: Mapping[str, Mapping[str, int]]
) -> dict[str, ComponentRecord]:
    """Return what the state shall remember of each component; `ports` are host ports by component and name."""
    result = {}
    for component in stack.components:
        parts = component_parts(stack, component, pinned)
        result[component.name] = ComponentRecord(
            component.kind, digest(parts), parts, dict(ports.get(component.name, {})), component.node is not None
        )
    return result


def _filled(rendered: RenderedComponent, secrets: Mapping[str, str]) -> RenderedComponent:
    files = tuple(
        RenderedFile(file.path, fill(file.content.decode(), secrets).encode(), file.mode) for file in rendered.files
    )
    variables = {name: fill(value, secrets) for name, value in rendered.environment.items()}
    return RenderedComponent(rendered.name, rendered.command, variables, files)
