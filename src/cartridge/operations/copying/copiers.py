"""Which copier copies which target's data."""

from __future__ import annotations

from cartridge.operations.access.context import Context
from cartridge.plan.state import State
from cartridge.targets.copying import Copier


def copier(context: Context, state: State) -> Copier:
    """Return what copies the data of a stack's components; it has asked nothing yet."""
    if state.target == "docker":
        from cartridge.targets.docker.copying import DockerCopier

        return DockerCopier(state.stack, context.clock)
    from cartridge.targets.process.client import Guardian
    from cartridge.targets.process.copying import ProcessCopier
    from cartridge.targets.process.layout import Layout

    layout = Layout(context.folder(state.stack).absolute())
    return ProcessCopier(
        layout, Guardian(state.stack, context.settings.runtime, layout.folder, context.clock), context.clock
    )
