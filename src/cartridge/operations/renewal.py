"""Another lease for a stack that is up: it lives as long as somebody goes on asking, or from now on for ever."""

from __future__ import annotations

import dataclasses

from msgspec.structs import replace

from cartridge.deploy import statefile
from cartridge.model.target import Target
from cartridge.operations.access.context import Context
from cartridge.operations.access.engines import engine
from cartridge.operations.access.locking import locked
from cartridge.operations.access.selection import chosen
from cartridge.operations.startup.bring_up import taken


def renew(context: Context, *, ttl: int | None) -> None:
    """Let the chosen stack live `ttl` milliseconds from now on; None is for ever.

    Raises:
        MissingError: `no-stack`, it is gone; nothing is made of it then.
        UnknownVerdictError: `stack-locked`, somebody is at work on it.
    """
    with locked(context, chosen(context).stack):
        state = chosen(context)  # as it is now that nobody else changes it
        lease = taken(dataclasses.replace(context, options=replace(context.options, ttl=ttl)), state.stack, state)
        engine(context, Target(state.target), state.stack).begin(lease)
        statefile.write(context.folder(state.stack), replace(state, expires=lease.expires))
