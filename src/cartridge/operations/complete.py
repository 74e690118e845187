"""Names for tab completion: cheap, and silent about anything wrong."""

from __future__ import annotations

from cartridge.errors import CartridgeError
from cartridge.operations.access.context import Context, Options
from cartridge.operations.access.selection import chosen, states


def names(options: Options, kind: str) -> tuple[str, ...]:
    """Return the names of a kind, such as `stack` or `snapshot`; nothing where they cannot be known."""
    if kind == "code":
        from cartridge.operations.explain import codes

        return codes()
    context = Context.open(options, "complete")
    try:
        if kind == "stack":
            return tuple(state.name for state in states(context))
        if kind == "snapshot":
            from cartridge.deploy.snapshots.store import Snapshots

            return tuple(one.manifest.name or one.manifest.id for one in Snapshots(context.project.state).every())
        components = chosen(context).components
    except (CartridgeError, OSError):
        return ()
    finally:
        context.close()
    return tuple(name for name, record in components.items() if kind == "component" or record.node)
