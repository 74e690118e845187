"""Which engine serves which target; the only module that names them all."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import assert_never

from cartridge.deploy.engine import Engine
from cartridge.model.target import Target
from cartridge.operations.access.context import Context


def engine(context: Context, target: Target, stack_id: str) -> Engine:
    """Return the engine of a stack; it has done nothing yet.

    Raises:
        MissingError: what the target needs is not on this machine.
    """
    folder = context.folder(stack_id)
    match target:
        case Target.PROCESS:
            from cartridge.deploy.direct import DirectEngine

            return DirectEngine(stack_id, folder, context.settings, context.clock, context.recorder)
        case Target.DOCKER:
            from cartridge.deploy.pulumi.engine import PulumiEngine

            cli = partial(_tool, context, "pulumi")
            hold = partial(_tool, context, "hold", for_image=True)
            return PulumiEngine(
                stack_id,
                folder,
                context.settings,
                clock=context.clock,
                recorder=context.recorder,
                pulumi=cli,
                hold=hold,
            )
        case _:
            assert_never(target)


def _tool(context: Context, name: str, *, for_image: bool = False) -> Path:
    """Return the path of one of the engine's own tools; what it takes to find it is imported when it is asked for."""
    from cartridge.operations.access import programs

    return programs.tool(context, name, for_image=for_image)
