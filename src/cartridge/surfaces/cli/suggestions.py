"""Names that complete while somebody types: stacks, components, nodes, artifacts, error codes.

An error is left to `app.run`, which is silent while a shell completes.
"""

from __future__ import annotations

from collections.abc import Callable

import click

from cartridge.surfaces.cli.flags import split
from cartridge.surfaces.cli.session import Session


def suggest(kind: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Return a completion that offers the names of a kind: stack, snapshot, component, node, artifact or code."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        session = ctx.find_object(Session)
        if session is None:
            return []
        flags, _rest = split({name: value for name, value in ctx.params.items() if value is not None})
        names = session.verbs.names(flags.options(session.settings), kind)
        return [name for name in names if name.startswith(incomplete)]

    return complete
