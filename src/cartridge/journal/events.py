"""The events of a run. Each is frozen, has a `type` that names it in JSON, and never holds a secret.

New kinds may be added and fields may get defaults; nothing is renamed within a major version
(docs/reference/journal.md).
"""

from __future__ import annotations

from enum import StrEnum, unique
from typing import ClassVar

from msgspec import Struct


@unique
class Ending(StrEnum):
    """How a step or a run ended."""

    DONE = "done"  # as wanted
    FAILED = "failed"  # with an error
    SKIPPED = "skipped"  # there was nothing to do


class RunStarted(Struct, frozen=True):
    """A verb began to work on a stack."""

    type: ClassVar[str] = "run-started"
    verb: str
    stack: str
    target: str
    version: str


class RunEnded(Struct, frozen=True):
    """The verb is done; `code` names the error where it failed."""

    type: ClassVar[str] = "run-ended"
    ending: Ending
    status: int
    code: str = ""
    brief: str = ""


class StepStarted(Struct, frozen=True):
    """A named piece of work began.

    Attributes:
        step: stable name, such as `artifacts`, `start/alice`, `ready/alice`, `network/fund`.
        title: for people, such as `alice: starting`.
    """

    type: ClassVar[str] = "step-started"
    step: str
    title: str


class StepProgress(Struct, frozen=True):
    """How far a step is: `done` of `total` (0 = unknown) `unit`s, or just a `note`."""

    type: ClassVar[str] = "step-progress"
    step: str
    done: int = 0
    total: int = 0
    unit: str = ""
    note: str = ""


class StepEnded(Struct, frozen=True):
    """A named piece of work ended."""

    type: ClassVar[str] = "step-ended"
    step: str
    ending: Ending
    note: str = ""


class ComponentChanged(Struct, frozen=True):
    """A component is in another state than before."""

    type: ClassVar[str] = "component-changed"
    component: str
    state: str
    note: str = ""


class Noted(Struct, frozen=True):
    """Something worth a line: `level` is `info` or `warning`."""

    type: ClassVar[str] = "noted"
    level: str
    text: str


Event = RunStarted | RunEnded | StepStarted | StepProgress | StepEnded | ComponentChanged | Noted

KINDS: dict[str, type[Event]] = {
    kind.type: kind for kind in (RunStarted, RunEnded, StepStarted, StepProgress, StepEnded, ComponentChanged, Noted)
}
"""Every kind of event by its name in JSON."""
