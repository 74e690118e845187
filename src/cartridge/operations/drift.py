"""What runs against what the last `up` left: resources that somebody or something changed behind our back."""

from __future__ import annotations

from cartridge.deploy.engine import Wanted
from cartridge.operations import engines, programs, secrets
from cartridge.operations.bring_up import digests
from cartridge.operations.context import Context
from cartridge.operations.wanted import assemble
from cartridge.plan.change import Change
from cartridge.plan.state import State
from cartridge.render.templates import render
from cartridge.workspace.resolved import ResolvedStack


def drift(context: Context, stack: ResolvedStack, state: State) -> tuple[Change, ...]:
    """Return what is not as it was left; changes nothing.

    Raises:
        MissingError: the target does not answer.
    """
    engine = engines.engine(context, stack.target, state.stack)
    installed = programs.ensure(context, stack)
    places = engine.place({one.name: (one.ports, one.fixed_ports, installed[one.artifact]) for one in stack.components})
    held = secrets.ensure(context.folder(state.stack))
    wanted: tuple[Wanted, ...] = assemble(stack, render(stack, places), installed, held, {}, digests(context, stack))
    return engine.drift(wanted)
