"""`block-interval`: how the blocks of a stack that is up are made, from now until it ends or is told otherwise."""

from __future__ import annotations

from cartridge.errors import InputError
from cartridge.operations.access import keeper
from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen
from cartridge.operations.results.networks import MiningResult
from cartridge.probes.keeper import KeeperStatus

SHORTEST = 50
"""Milliseconds between two blocks."""


def block_interval(context: Context, *, mining: str | None, interval: int | None, seed: int | None) -> MiningResult:
    """Make blocks in another way and return how they are made; where nothing is given, only look.

    Args:
        context: of this run.
        mining: `on-demand`, `interval`, `poisson` or `on-transaction`; None keeps it.
        interval: milliseconds between two blocks; None keeps it.
        seed: of the times of `poisson`; None keeps it.

    Raises:
        InputError: `interval-wrong`.
        MissingError: no such stack; `keeper-missing`.
        UnknownVerdictError: `keeper-unreachable`.
    """
    if interval is not None and interval < SHORTEST:
        raise InputError(
            f"a block every {interval} ms is too often for nodes to follow",
            code="interval-wrong",
            resolution=f"give {SHORTEST} ms or more, or `off`",
        )
    state = chosen(context)
    found = keeper.needed(context, state)
    now = found.status()
    if (mining, interval, seed) != (None, None, None):
        with context.recorder.step("block-interval", "changing how blocks are made"):
            now = found.follow(
                mining or now.mining,
                now.interval_ms if interval is None else interval,
                now.seed if seed is None else seed,
            )
    return result(state.stack, now)


def result(stack: str, now: KeeperStatus) -> MiningResult:
    """Return what a keeper's status means to people."""
    return MiningResult(
        stack=stack,
        mining=now.mining,
        interval=now.interval_ms,
        seed=now.seed,
        fee_rate=now.fee_rate,
        mined=now.mined,
        failure=now.failure,
    )
