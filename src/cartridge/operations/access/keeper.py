"""The keeper of a stack, if it has one: found by its record, held still while somebody else makes blocks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cartridge.errors import CartridgeError, MissingError
from cartridge.operations.access import secrets
from cartridge.operations.access.context import Context
from cartridge.plan.state import State

if TYPE_CHECKING:
    from cartridge.probes.keeper import Keeper

KIND = "keeper"


def of(context: Context, state: State) -> Keeper | None:
    """Return the stack's keeper, or None where it has none that was ever up."""
    for record in state.components.values():
        if record.kind == KIND and "http" in record.ports:
            from cartridge.probes.bitcoind import Credentials
            from cartridge.probes.keeper import Keeper

            held = secrets.ensure(context.folder(state.stack))
            return Keeper("127.0.0.1", record.ports["http"], Credentials(secrets.RPC_USER, held["rpc_password"]))
    return None


def needed(context: Context, state: State) -> Keeper:
    """Return the stack's keeper.

    Raises:
        MissingError: `keeper-missing`.
    """
    if (found := of(context, state)) is not None:
        return found
    raise MissingError(
        f"nobody makes blocks by himself in `{state.name}`",
        code="keeper-missing",
        resolution="write `- cartridge: chain-keeper@1` under `use`, or a `block_interval` under `network`, and run"
        " `cartridge up`: the network stays as it is",
    )


def hold(context: Context, state: State, seconds: float) -> None:
    """Have it make no blocks for `seconds` at most, so a killed run holds it no longer; one that is away makes none."""
    with contextlib.suppress(CartridgeError):
        if (found := of(context, state)) is not None:
            found.hold(seconds)


def release(context: Context, state: State) -> None:
    """Let it make blocks from now on; nothing where there is none.

    Raises:
        ApplyError: `keeper-refused`.
        UnknownVerdictError: `keeper-unreachable`.
    """
    if (found := of(context, state)) is not None:
        found.hold(0)


@contextlib.contextmanager
def still(context: Context, state: State, seconds: float) -> Iterator[None]:
    """Hold it while the body runs, which looks into the mempool or replaces blocks, and let it go on afterwards."""
    hold(context, state, seconds)
    try:
        yield
    finally:
        hold(context, state, 0)
