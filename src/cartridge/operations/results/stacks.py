"""What `up`, `down` and `ps` answer: records that `-o json` prints as they are (schemas/output/<verb>.json).

Apart from the others (`reports`), as these verbs have no time to give.
"""

from __future__ import annotations

from msgspec import Struct

from cartridge.plan.change import Change


class PortView(Struct, frozen=True):
    """A port as `ps` shows it: `address` is host:port on this machine."""

    name: str
    address: str


class ComponentView(Struct, frozen=True):
    """A component as `ps` shows it.

    Attributes:
        name: in the stack.
        kind: in its cartridge, such as `lnd`.
        state: a `ComponentState`, or `ready` where the last `up` saw its probe pass and it runs still.
        identity: pid or container id.
        started: ISO 8601 in UTC.
        restarts: since it was made.
        exit_status: where it ended.
        ports: published ones.
        note: such as the last line of a failed component's log.
    """

    name: str
    kind: str
    state: str
    identity: str = ""
    started: str = ""
    restarts: int = 0
    exit_status: int | None = None
    ports: tuple[PortView, ...] = ()
    note: str = ""


class Stage(Struct, frozen=True):
    """A link of the critical chain of a start: a step's name and how long it took (seconds)."""

    step: str
    seconds: float


class UpResult(Struct, frozen=True):
    """What `up` did.

    Attributes:
        stack: the stack's id.
        target: where it runs.
        changed: whether anything was done.
        changes: the plan that was carried out.
        components: every one, ready.
        stages: the critical chain, in order; empty where nothing changed.
        seconds: from start to ready.
        hints: next commands worth typing.
    """

    stack: str
    target: str
    changed: bool
    changes: tuple[Change, ...]
    components: tuple[ComponentView, ...]
    stages: tuple[Stage, ...] = ()
    seconds: float = 0.0
    hints: tuple[str, ...] = ()


class DownResult(Struct, frozen=True):
    """What `down` removed, by resource name; nothing where there was no such stack. The project keeps its snapshots."""

    stack: str
    target: str
    removed: tuple[str, ...]
    seconds: float = 0.0
    snapshots: int = 0


class StackView(Struct, frozen=True):
    """A stack of this project as `ps` shows it."""

    stack: str
    target: str
    created: str
    expires: str
    components: tuple[ComponentView, ...]


class PsResult(Struct, frozen=True):
    """Every stack that was asked for."""

    stacks: tuple[StackView, ...]
