"""`mine`: blocks on demand."""

from __future__ import annotations

from cartridge.errors import InputError
from cartridge.operations.context import Context
from cartridge.operations.grip import chain
from cartridge.operations.reports import MineResult
from cartridge.operations.selection import chosen

MOST = 10_000
"""Blocks at once; more take minutes and are mostly a slip of the finger."""


def mine(context: Context, *, blocks: int) -> MineResult:
    """Mine `blocks` blocks and return them; every transaction in the mempool is confirmed.

    Raises:
        InputError: `blocks-wrong`, not between 1 and 10,000.
        MissingError: no stack, or one without a chain.
    """
    if not 1 <= blocks <= MOST:
        raise InputError(
            f"`{blocks}` blocks cannot be mined at once", code="blocks-wrong", resolution=f"give 1 to {MOST:,}"
        )
    on = chain(context, chosen(context))
    with context.recorder.step("mine", f"mining {blocks} block{'s' if blocks != 1 else ''}"):
        hashes = on.mine(blocks)
    return MineResult(on.tip().height, hashes)
