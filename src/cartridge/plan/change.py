"""The vocabulary of a plan: one change a component, each with a reason, doing nothing included."""

from __future__ import annotations

from enum import StrEnum, unique

from msgspec import Struct


@unique
class ChangeKind(StrEnum):
    """What will be done to one resource."""

    CREATE = "create"  # it does not exist
    UPDATE = "update"  # it is ended and started again on the same data
    REPLACE = "replace"  # it is deleted with its data and made again
    KEEP = "keep"  # nothing
    DELETE = "delete"  # it is no longer asked for
    START = "start"  # it exists as wanted, but does not run


class Change(Struct, frozen=True):
    """One planned act.

    Attributes:
        kind: what will be done.
        resource: `component/alice`, `network/default`, `volume/alice`, `channel/alice-bob`, `wallet/alice`.
        reason: why, as a sentence without a full stop.
    """

    kind: ChangeKind
    resource: str
    reason: str


class Plan(Struct, frozen=True):
    """Everything `up` would do to one stack, in order.

    Attributes:
        stack: the stack's id.
        changes: one for each resource, in the order they would be carried out.
        digest: SHA-256 (hex) over the wanted state; equal digests mean equal stacks.
    """

    stack: str
    changes: tuple[Change, ...]
    digest: str

    @property
    def has_changes(self) -> bool:
        """Whether `up` would do anything."""
        return any(change.kind is not ChangeKind.KEEP for change in self.changes)
