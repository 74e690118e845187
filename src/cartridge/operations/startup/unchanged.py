"""The quick answer to `up`: nothing changed and everything runs. Imports no models, starts no engine.

A stack is unchanged when the fingerprint of its files and flags is the one its last successful `up` wrote, and
its target says that every component runs. With `--ttl`, or where the lease has run out, it takes a new lease, so
there is something to do; and where a reorganisation was killed half-way, its chain must be mended.
"""

from __future__ import annotations

from cartridge.deploy import statefile
from cartridge.operations.access.context import Context
from cartridge.operations.access.views import component_views, hints
from cartridge.operations.results.stacks import UpResult
from cartridge.plan.change import Change, ChangeKind
from cartridge.plan.state import State
from cartridge.targets.driver import ComponentState


def unchanged(context: Context) -> UpResult | None:
    """Return the result of an `up` that has nothing to do, or None where there is something."""
    state = _match(context)
    if state is None:
        return None
    context.about(state.stack, state.target)
    views = component_views(context, state)
    running = {ComponentState.RUNNING.value, ComponentState.DONE.value, "ready"}
    if len(views) != len(state.components) or any(view.state not in running for view in views):
        return None
    changes = tuple(Change(ChangeKind.KEEP, f"component/{view.name}", "nothing changed") for view in views)
    return UpResult(state.stack, state.target, changed=False, changes=changes, components=views, hints=hints(state))


def _match(context: Context) -> State | None:
    if context.options.ttl is not None:
        return None
    fingerprint = context.fingerprint()
    for folder in statefile.folders(context.project.state):
        state = statefile.read(folder)
        if state is not None and state.ready and not state.undone and state.fingerprint == fingerprint:
            return None if _has_expired(context, state) else state
    return None


def _has_expired(context: Context, state: State) -> bool:
    if not state.expires:
        return False
    from cartridge.deploy.leases import is_past  # costs the import of models

    return is_past(state.expires, context.clock.now())
