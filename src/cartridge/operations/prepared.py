"""The snapshot that tests fork: of the chosen stack as it is defined, just come up, made once and then found again.

Never touches a stack of the user's: where no snapshot is there yet, one is taken of a network that is brought up
beside the others for it, and ended again. Many processes may ask at once; one of them makes it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading

from msgspec.structs import replace

from cartridge.deploy import locks, statefile
from cartridge.deploy.locks import Queue
from cartridge.deploy.snapshots.manifest import Cause
from cartridge.deploy.snapshots.store import Snapshots, verify
from cartridge.errors import InputError
from cartridge.operations.access import programs
from cartridge.operations.access.context import Context
from cartridge.operations.copying import taking
from cartridge.operations.down import down
from cartridge.operations.up import up
from cartridge.plan.planner import plan

PATIENCE = 3600.0
"""Seconds to wait for another process that makes the snapshot: it may have to build programs first."""
TTL = 15 * 60_000
"""Milliseconds after which the network brought up for it ends by itself, should we not live to end it."""
_APART = "prepared"


def prepared(context: Context) -> str:
    """Return the id of a snapshot of the chosen stack as its documents say, taken just when it had come up.

    Raises:
        DocumentsError, InputError: the documents are wrong, or none or several stacks could be meant.
        InputError: `network-empty`, the stack has no nodes that could be snapshotted.
        UnknownVerdictError: `stack-locked`, another process is at it and does not end.
        CartridgeError: what `up` raises.
    """
    stack = context.resolved()
    if not stack.network:
        raise InputError(
            f"`{stack.name}` has no network to fork",
            code="network-empty",
            resolution="choose a stack with a `network`, or give this one nodes",
        )
    digest = plan(context.stack_id(stack.name), stack, None, programs.pins(context, stack)).digest
    return _found(context, digest) or _made(context, stack.name, digest)


def _found(context: Context, digest: str) -> str:
    """Return the newest good snapshot with this digest, of the programs that are here; "" where there is none."""
    for one in Snapshots(context.project.state).ready(digest):
        with contextlib.suppress(InputError):
            verify(one)
            return one.manifest.id
    return ""


def _made(context: Context, name: str, digest: str) -> str:
    settings = replace(context.settings, isolation=_APART)
    options = replace(context.options, stack=name, isolated=True, ttl=TTL)
    apart = dataclasses.replace(context, options=options, settings=settings)
    queue = Queue(context.clock, PATIENCE, context.cancelled)
    with locks.hold(context.project.state / f".{apart.stack_id(name)}-made.lock", context.verb, queue):
        if there := _found(context, digest):
            return there
        try:
            up(apart)
            if made := _found(context, digest):
                return made
            state = statefile.read(apart.folder(apart.stack_id(name)))
            assert state is not None  # `up` has just written it
            return taking.take(apart, state, cause=Cause.READY).snapshot.manifest.id
        finally:
            # whoever asked us to end wants nothing left either
            down(dataclasses.replace(apart, cancelled=threading.Event()))
