"""Which of the stacks that are up a verb means: the named one, else the only one. Reads states, no documents."""

from __future__ import annotations

from cartridge.deploy import statefile
from cartridge.errors import InputError, MissingError
from cartridge.operations.access.context import Context
from cartridge.plan.state import State


def states(context: Context) -> tuple[State, ...]:
    """Return the state of every stack of this project."""
    found = (statefile.read(folder) for folder in statefile.folders(context.project.state))
    return tuple(state for state in found if state is not None)


def chosen(context: Context) -> State:
    """Return the state of the stack the flags mean.

    Raises:
        MissingError: `no-stack`, nothing is up here, or not that one.
        InputError: `stack-ambiguous`, several are and none was named.
    """
    wanted, every = context.options.stack, states(context)
    if context.options.isolated and wanted is None:
        every = tuple(state for state in every if state.stack == context.stack_id(state.name))
    if wanted is not None:
        every = tuple(state for state in every if wanted in {state.stack, state.name})
        if len(every) > 1:
            every = tuple(state for state in every if state.stack == context.stack_id(state.name)) or every
    elif len(every) > 1:
        every = tuple(state for state in every if not state.definition) or every  # a fork is meant only by its name
    if not every:
        called = f" called `{wanted}`" if wanted else ""
        raise MissingError(f"no stack{called} is up here", code="no-stack", resolution="`cartridge up` starts one")
    if len(every) > 1:
        names = ", ".join(f"`{state.stack}`" for state in every)
        raise InputError(
            f"several stacks are up: {names}", code="stack-ambiguous", resolution="choose one with `--stack NAME`"
        )
    context.about(every[0].stack, every[0].target)
    return every[0]


def component(state: State, name: str) -> str:
    """Return `name` if the stack has such a component.

    Raises:
        MissingError: `component-unknown`, with what there is.
    """
    if name in state.components:
        return name
    import difflib

    close = difflib.get_close_matches(name, state.components, 1)
    known = ", ".join(f"`{known}`" for known in state.components)
    raise MissingError(
        f"`{state.name}` has no component `{name}`",
        code="component-unknown",
        resolution=f"did you mean `{close[0]}`?" if close else f"it has {known}",
    )
