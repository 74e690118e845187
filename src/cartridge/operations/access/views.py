"""How a stack looks to people: the state on disk joined with one look at what runs. Imports nothing heavy."""

from __future__ import annotations

from cartridge.operations.access.context import Context
from cartridge.operations.access.drivers import driver
from cartridge.operations.results.stacks import ComponentView, PortView, StackView
from cartridge.plan.state import ComponentRecord, State
from cartridge.targets.driver import ComponentState, Condition


def component_views(context: Context, state: State) -> tuple[ComponentView, ...]:
    """Return every component of a stack, in the order of the state."""
    conditions = driver(context, state).conditions()
    return tuple(
        component_view(name, record, conditions.get(name, Condition(name, ComponentState.ABSENT)), ready=state.ready)
        for name, record in state.components.items()
    )


def component_view(name: str, record: ComponentRecord, condition: Condition, *, ready: bool) -> ComponentView:
    """Return one component as `ps` shows it; a running one is `ready` where the last `up` saw it so."""
    state = "ready" if ready and condition.state is ComponentState.RUNNING else condition.state.value
    ports = tuple(PortView(port, f"127.0.0.1:{number}") for port, number in record.ports.items())
    return ComponentView(
        name=name,
        kind=record.kind,
        state=state,
        identity=condition.identity,
        started=condition.started,
        restarts=condition.restarts,
        exit_status=condition.exit_status,
        ports=ports,
    )


def stack_view(context: Context, state: State) -> StackView:
    """Return a stack as `ps` shows it."""
    return StackView(state.stack, state.target, state.created, state.expires, component_views(context, state))


def hints(state: State) -> tuple[str, ...]:
    """Return the next commands worth typing."""
    nodes = [name for name, record in state.components.items() if record.node]
    pay = (f"cartridge pay {nodes[0]} {nodes[1]} 1000 sat",) if len(nodes) > 1 else ()
    connect = (f"cartridge connect {nodes[0]}",) if nodes else ()
    return (*pay, *connect, "cartridge ps", "cartridge down")
