"""`up`: from files to a stack that is ready, or a word why not.

The steps, in order: unchanged? → load → plan → lock check → artifacts → lease → place → render → apply with
gates → network → state. Each is a step of the journal; a kill between any two is mended by the next `up`.
"""

from __future__ import annotations

from msgspec.structs import replace

from cartridge.errors import InterruptError
from cartridge.operations.access.context import Context
from cartridge.operations.results.stacks import UpResult
from cartridge.operations.startup.unchanged import unchanged


def up(context: Context, *, refresh: bool = False, fresh: bool = False) -> UpResult:
    """Bring the chosen stack up, or to what its files say now, and return when it is ready.

    Args:
        context: of this run.
        refresh: look at what really runs even if no file changed, and mend it.
        fresh: a stack that is not there starts from nothing, not from the last snapshot of the same definition.

    Raises:
        DocumentsError: the files are wrong.
        InputError: flags, lock drift, a network change that needs a rebuild.
        MissingError: an artifact, the target, a port.
        ApplyError: a component failed; it is kept with its logs.
        InterruptError: Ctrl-C; what is up stays, for the next `up` or `down`.
    """
    began = context.clock.monotonic()
    if not refresh and (result := unchanged(context)) is not None:
        return result
    from cartridge.operations.startup.bring_up import bring_up

    try:
        result = bring_up(context, fresh=fresh)
    except InterruptError as error:
        error.resolution = (
            error.resolution or "`cartridge up` goes on from here, `cartridge down` removes what is there"
        )
        raise
    return replace(result, seconds=round(context.clock.monotonic() - began, 3))
