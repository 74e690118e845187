"""What `snapshot`, `restore` and `fork` answer: frozen, and printed by `-o json` as they are (schemas/output)."""

from __future__ import annotations

from msgspec import Struct

from cartridge.operations.results.stacks import ComponentView


class SnapshotView(Struct, frozen=True):
    """A snapshot as people see it.

    Attributes:
        id: of its content.
        name: what a person called it, or "".
        stack: whose data it is, as the documents call it.
        target: where that ran.
        cause: `ready`, taken when a stack came up from nothing and pruned by itself, or `asked`.
        created: ISO 8601 in UTC.
        height: of the chain.
        size: bytes it takes on the disk, what it shares with others included.
    """

    id: str
    name: str
    stack: str
    target: str
    cause: str
    created: str
    height: int
    size: int


class SnapshotResult(Struct, frozen=True):
    """What `snapshot` did.

    Attributes:
        action: `create`, `ls`, `rm`, `export` or `import`.
        snapshots: those it was about, newest first.
        still: seconds for which the network stood still.
        file: what was written or read, or "".
    """

    action: str
    snapshots: tuple[SnapshotView, ...]
    still: float = 0.0
    file: str = ""


class RestoreResult(Struct, frozen=True):
    """A stack that is ready on a snapshot's data: its id, the snapshot's, where it runs, and every component."""

    stack: str
    snapshot: str
    target: str
    components: tuple[ComponentView, ...]
    seconds: float = 0.0


class ForkResult(Struct, frozen=True):
    """A fork that is ready.

    Attributes:
        stack: the fork's id.
        name: what it is called; other verbs take it as `--stack`.
        origin: id of the stack whose data it has.
        snapshot: id of the snapshot it was made from; "" where what ran was forked.
        target: where it runs.
        components: every one, ready.
        still: seconds for which the origin stood still; 0 where a snapshot was used.
        seconds: from start to ready.
    """

    stack: str
    name: str
    origin: str
    snapshot: str
    target: str
    components: tuple[ComponentView, ...]
    still: float
    seconds: float = 0.0
