"""The lock every verb holds that changes a stack. Imports nothing that costs time: `down` is to begin at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cartridge.deploy import locks
from cartridge.deploy.locks import Holder, Queue
from cartridge.operations.access.context import Context

DEFAULT_LOCK_WAIT = 120.0
"""Seconds to wait for another run on the same stack, where no `--wait-timeout` says otherwise."""


@contextmanager
def locked(context: Context, stack_id: str) -> Iterator[None]:
    """Hold the stack's lock, waiting for whoever has it and saying so."""

    def say(holder: Holder | None) -> None:
        who = f"`cartridge {holder.verb}` (process {holder.pid})" if holder else "another run"
        context.recorder.note(f"waiting for {who}, which is at work on this stack")

    queue = Queue(context.clock, context.limit(DEFAULT_LOCK_WAIT), context.cancelled, say)
    with locks.hold(context.project.state / f".{stack_id}.lock", context.verb, queue):
        yield
