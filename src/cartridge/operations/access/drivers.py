"""Which driver grips which target's components. Imports no models: `ps`, `logs` and the unchanged `up` start here."""

from __future__ import annotations

from cartridge.operations.access.context import Context
from cartridge.plan.state import State
from cartridge.targets.driver import Driver


def driver(context: Context, state: State) -> Driver:
    """Return the grip on the components of a stack; it has asked nothing yet."""
    if state.target == "docker":
        from cartridge.targets.docker.driver import DockerDriver

        return DockerDriver(state.stack, context.clock)
    from cartridge.targets.process.client import Guardian
    from cartridge.targets.process.driver import ProcessDriver
    from cartridge.targets.process.layout import Layout
    from cartridge.workspace.settings import variable

    layout = Layout(context.folder(state.stack).absolute())
    guardian = Guardian(state.stack, context.settings.runtime, layout.folder, context.clock)
    return ProcessDriver(state.stack, layout, guardian, variable)
