"""`reorg`: the newest blocks are replaced by others, one more of them, and every node follows.

Channels whose funding would go back are refused unless forced: lnd does not get over another short id of a channel
that was confirmed. A kill between the two halves leaves a shorter chain, which the next `up` or block mends.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from msgspec.structs import replace

from cartridge.deploy import statefile
from cartridge.errors import InputError
from cartridge.operations.access import follow, grip, keeper
from cartridge.operations.access.channel_views import Look, label
from cartridge.operations.access.context import Context
from cartridge.operations.access.locking import locked
from cartridge.operations.access.selection import chosen
from cartridge.operations.results.networks import ReorgResult
from cartridge.plan.state import State

DEEPEST = 100
"""Blocks at most: deeper, and rewards that were spent are no more."""


def reorg(context: Context, *, depth: int, empty: bool, force: bool) -> ReorgResult:
    """Replace the newest `depth` blocks by `depth` + 1 others and return when every node that answers has them.

    Args:
        context: of this run.
        depth: 1 to 100.
        empty: leave what was in the blocks in the mempool; else it is confirmed again.
        force: whatever becomes of channels that are not confirmed more deeply.

    Raises:
        InputError: `depth-wrong`, or `channels-shallow`, with the channels.
        MissingError: no stack, or one without a chain.
        UnknownVerdictError: `wait-timeout`, a node does not follow; `stack-locked`, somebody is at work on the stack.
    """
    state = chosen(context)
    nodes, _ = follow.awake(grip.nodes(context, state))
    height = grip.chain(context, state).tip().height
    if not 1 <= depth <= min(DEEPEST, height - 1):
        raise InputError(
            f"`{depth}` blocks cannot be replaced",
            code="depth-wrong",
            resolution=f"give 1 to {min(DEEPEST, max(1, height - 1))}: a deeper one would undo spent rewards",
        )
    shallow = tuple(
        label(channel)
        for channel in Look(state, follow.names(context, state), nodes).views()
        if channel.scid and not channel.unconfirmed and int(channel.scid.partition("x")[0]) > height - depth
    )
    if shallow and not force:
        raise InputError(
            f"{depth} blocks back, {len(shallow)} channel{'s' if len(shallow) > 1 else ''} would lose the funding",
            code="channels-shallow",
            details=shallow,
            resolution=f"`cartridge mine {depth}` first buries them, or `--force` takes the risk that they break",
        )
    with (
        _noted(context, state, height),
        keeper.still(context, state, follow.PATIENCE),
        follow.producer(context, state, nodes) as makes,
    ):
        with context.recorder.step("reorg/undo", f"taking {depth} blocks away"):
            undone = makes.chain.undo(depth)
        with context.recorder.step("reorg/mine", f"mining {depth + 1} others"):
            there = makes.chain.mempool()
            made = [makes.chain.confirm(()) for _ in range(depth + 1)] if empty else makes.chain.mine(depth + 1)
            makes.gather()
            waiting = makes.chain.mempool()
    return ReorgResult(
        depth=depth,
        height=makes.chain.tip().height,
        replaced=undone.blocks,
        blocks=tuple(made),
        returned=undone.transactions,
        waiting=tuple(one for one in undone.transactions if one in waiting),
        lost=tuple(one for one in undone.transactions if one not in there),
        shallow=shallow,
    )


@contextlib.contextmanager
def _noted(context: Context, state: State, height: int) -> Iterator[None]:
    """Note how high the chain was, so that `up` mends one that was left shorter; once it is longer, forget it."""
    folder = context.folder(state.stack)
    with locked(context, state.stack):
        now = chosen(context)  # as it is now that nobody else changes it
        statefile.write(folder, replace(now, undone=height))
        yield
        statefile.write(folder, replace(now, undone=0))
