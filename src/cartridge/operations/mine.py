"""`mine`: blocks on demand, which every node has when it is done."""

from __future__ import annotations

from cartridge.errors import InputError
from cartridge.operations.access import follow, grip
from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen
from cartridge.operations.results.networks import MineResult

MOST = 10_000
"""Blocks at once; more take minutes and are mostly a slip of the finger."""


def mine(context: Context, *, blocks: int, to_height: int | None = None) -> MineResult:
    """Mine `blocks` blocks, or up to a height, and return when every node that answers has them.

    Every transaction in the mempool is confirmed.

    Raises:
        InputError: `blocks-wrong`, not between 1 and 10,000; or the height is behind the tip.
        MissingError: no stack, or one without a chain.
        UnknownVerdictError: `wait-timeout`, a node does not follow.
    """
    state = chosen(context)
    chain = grip.chain(context, state)
    if to_height is not None:
        height = chain.tip().height
        if height == to_height:
            return MineResult(height, ())
        blocks = to_height - height
        if blocks < 0:
            raise InputError(
                f"the chain is at height {height} already",
                code="blocks-wrong",
                resolution=f"give a height above that; `cartridge reorg {-blocks}` replaces blocks",
            )
    if not 1 <= blocks <= MOST:
        raise InputError(
            f"`{blocks}` blocks cannot be mined at once", code="blocks-wrong", resolution=f"give 1 to {MOST:,}"
        )
    nodes, absent = follow.awake(grip.nodes(context, state))
    plural = f"{blocks} block{'s' if blocks != 1 else ''}"
    with context.recorder.step("mine", f"mining {plural}"), follow.producer(context, state, nodes) as producer:
        hashes = producer.mine(blocks)
    return MineResult(chain.tip().height, hashes, absent)
