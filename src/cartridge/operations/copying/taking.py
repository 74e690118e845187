"""Takes the data of a network that runs: everything stands still for a moment, is copied, and goes on.

Nodes stop first. Then the chain writes down what it knows, and stops too: so no copy of a node can have seen a block
that the copy of the chain does not hold. What nodes had sent each other and not yet written is lost, as in a crash,
and Lightning's protocol makes good for it when their copies meet again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from cartridge.deploy.snapshots.manifest import Cause, Manifest
from cartridge.deploy.snapshots.store import Draft, Snapshot, Snapshots
from cartridge.errors import ApplyError, InputError
from cartridge.lightning.readdress import FILES
from cartridge.lightning.rebuilt import is_rebuilt
from cartridge.model.target import Target
from cartridge.operations.access import grip
from cartridge.operations.access.context import Context
from cartridge.operations.access.drivers import driver
from cartridge.operations.copying.copiers import copier
from cartridge.plan.state import ComponentRecord, State
from cartridge.targets.copying import Skip
from cartridge.targets.driver import ComponentState
from cartridge.workspace.compatibility import MATRIX

BOUND = 10.0
"""Seconds after which everything goes on whatever has become of us; a copy that took longer is thrown away."""
_THREADS = 8


class Taken(Struct, frozen=True):
    """A snapshot that was taken, and for how many seconds the network stood still."""

    snapshot: Snapshot
    still: float


def take(context: Context, state: State, *, name: str = "", cause: Cause = Cause.ASKED) -> Taken:
    """Take a snapshot of a stack that runs and keep it; whoever calls holds the stack's lock.

    Raises:
        ApplyError: `component-not-running`, `snapshot-not-still`.
        MissingError: `target-down`.
    """
    store = Snapshots(context.project.state)
    with store.drafting() as draft:
        manifest, still = fill(context, state, draft, name=name, cause=cause)
        return Taken(store.keep(draft, manifest), still)


def fill(context: Context, state: State, draft: Draft, *, name: str, cause: Cause) -> tuple[Manifest, float]:
    """Copy a stack that runs into a draft and seal it; return its manifest, and the seconds everything stood still.

    Raises: what `take` raises.
    """
    refuse_unsupported(state)
    running, done = _components(context, state)
    with context.recorder.step("snapshot/copy", f"{state.name}: copying its data") as step:
        height, still = _copy(context, state, draft, running, done)
        step.note = f"stood still for {still * 1000:.0f} ms"
    with context.recorder.step("snapshot/seal", "writing the digests of its files"):
        kept = replace(state, fingerprint="", expires="", ready=True)
        created = context.clock.now().isoformat(timespec="milliseconds")
        return draft.seal(kept, height, name=name, cause=cause, created=created), still


def refuse_unsupported(state: State) -> None:
    """Return where copies of all nodes can be kept from meeting their originals.

    Raises:
        InputError: `snapshot-unsupported`, a node remembers addresses in a way that is not known here, or a copy of
            the chain's data would not hold its newest blocks.
    """
    if state.target != Target.PROCESS:  # a network of its own for each stack keeps them apart
        if any(record.kind == grip.BTCD for record in state.components.values()):
            raise InputError(
                "btcd keeps its newest blocks in memory, so a copy of its volume lacks them",
                code="snapshot-unsupported",
                resolution="use `--target process`, where they lie with its data, or a chain made by bitcoind",
            )
        return
    for name, record in state.components.items():
        if record.node and record.kind not in FILES:
            raise InputError(
                f"`{name}` is a `{record.kind}`, whose copy could not be kept from its old peers",
                code="snapshot-unsupported",
                resolution=f"copy networks of {' and '.join(f'`{kind}`' for kind in FILES)} alone{_elsewhere(record)}",
            )


def _elsewhere(record: ComponentRecord) -> str:
    known = MATRIX.get(record.kind)
    return ", or use `--target docker`" if known is None or Target.DOCKER in known.targets else ""


def _components(context: Context, state: State) -> tuple[list[str], list[str]]:
    """Return the components that run, and those that have done what they were for."""
    conditions = driver(context, state).conditions()
    found: dict[ComponentState, list[str]] = {}
    for name in state.components:
        seen = conditions.get(name)
        found.setdefault(seen.state if seen else ComponentState.ABSENT, []).append(name)
    running, done = found.pop(ComponentState.RUNNING, []), found.pop(ComponentState.DONE, [])
    for kind, names in found.items():
        raise ApplyError(
            f"`{names[0]}` does not run: it is {kind.value}",
            code="component-not-running",
            resolution="`cartridge up` starts it again; then take the snapshot",
        )
    return running, done


def _copy(
    context: Context, state: State, draft: Draft, running: Sequence[str], done: Sequence[str]
) -> tuple[int, float]:
    """Copy everything; return the chain's height, and the seconds everything stood still."""
    hands = copier(context, state)
    chains = [name for name in running if state.components[name].kind in grip.CHAINS]
    others = [name for name in running if name not in chains]
    rest = _rest(context, state) if chains else None
    _every(hands.prepare, draft, [*running, *done])
    hands.freeze((), BOUND)  # nothing yet: whatever it takes to do so quickly is then there
    began = context.clock.monotonic()
    try:
        if others:
            hands.freeze(others, BOUND)
        height = rest() if rest else 0
        if chains:
            hands.freeze(chains, BOUND)
        _every(hands.copy, draft, [*running, *done])
    finally:
        still = hands.thaw()
        seconds = context.clock.monotonic() - began
    if moved := set(running) - still:
        raise ApplyError(
            f"`{min(moved)}` went on before its data was copied",
            code="snapshot-not-still",
            resolution=f"copying took longer than {BOUND:g} s: make room on the disk, or wait until it is less busy",
        )
    return height, seconds


def _rest(context: Context, state: State) -> Callable[[], int]:
    """Return what has the chain write down all it knows and returns its height; connected, so that it takes no time."""
    from cartridge.lightning.chains.bitcoind import Bitcoind

    chain = grip.chain(context, state)
    chain.tip()
    return chain.rest if isinstance(chain, Bitcoind) else lambda: chain.tip().height


def _every(copy: Callable[[str, Path, Skip], None], draft: Draft, components: Sequence[str]) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        work = [pool.submit(copy, name, draft.place(name), is_rebuilt) for name in components]
        for each in work:
            each.result()
