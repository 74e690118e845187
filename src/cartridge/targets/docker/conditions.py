"""What a container's inspection means as a `Condition`. Pure, and shared by the quick look and the driver.

A container that ended on our request is told apart from one that ended by itself by a note in the stack's folder:
Docker does not record who asked. The note names the start it belongs to, so a later start makes it void.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cartridge.targets.docker import labels
from cartridge.targets.driver import ComponentState, Condition

NEVER = "0001-01-01T00:00:00Z"
"""What the Engine says for a time that has not come."""
_SIGNALLED = range(129, 193)
"""Exit statuses by which the Engine reports a signal: 128 and its number."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """The part of `GET /containers/<id>/json` that is used here.

    Attributes:
        identity: the container's id.
        component: whose it is.
        status: `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`.
        exit_code: as the Engine reports it.
        started: ISO 8601, or `NEVER`.
        restarts: by the Engine's own restart policy.
        labels: of the container.
    """

    identity: str
    component: str
    status: str
    exit_code: int
    started: str
    restarts: int
    labels: Mapping[str, str]

    @classmethod
    def of(cls, body: Mapping[str, object]) -> Inspection:
        """Return the inspection in the Engine's JSON answer."""
        state, config = _mapping(body, "State"), _mapping(body, "Config")
        marked = {str(name): str(value) for name, value in _mapping(config, "Labels").items()}
        return cls(
            identity=str(body.get("Id", "")),
            component=marked.get(labels.COMPONENT, ""),
            status=str(state.get("Status", "")),
            exit_code=int(str(state.get("ExitCode", 0))),
            started=str(state.get("StartedAt", NEVER)),
            restarts=int(str(body.get("RestartCount", 0))),
            labels=marked,
        )

    @property
    def is_running(self) -> bool:
        """Whether its process is alive."""
        return self.status in {"running", "paused", "restarting"}

    @property
    def digest(self) -> str:
        """What it was made as; "" where it does not say."""
        return self.labels.get(labels.DIGEST, "")

    @property
    def is_fine(self) -> bool:
        """Whether it runs, or has done what it was to do."""
        return self.is_running or (self.started != NEVER and self._has_succeeded)

    @property
    def _has_succeeded(self) -> bool:
        return self.status == "exited" and self.exit_code == 0 and self.labels.get(labels.ONE_SHOT) == "true"

    @property
    def port_numbers(self) -> dict[str, tuple[int, int]]:
        """By the port's name: the port in the container and the one published on this machine (0: none)."""
        return {
            name: (inner, outer) for name, (inner, outer) in json.loads(self.labels.get(labels.PORTS, "{}")).items()
        }

    @property
    def published(self) -> dict[str, int]:
        """By the port's name: the port of this machine's loopback it is published on."""
        return {name: outer for name, (_, outer) in self.port_numbers.items() if outer}

    def condition(self, notes: StopNotes) -> Condition:
        """Return what this means, given what we were asked to stop."""
        state = self._state(notes)
        ended = state in {ComponentState.DONE, ComponentState.STOPPED, ComponentState.FAILED}
        return Condition(
            name=self.component,
            state=state,
            identity=self.identity[:12],
            exit_status=_exit_status(self.exit_code) if ended else None,
            started="" if self.started == NEVER else self.started,
            restarts=self.restarts,
        )

    def _state(self, notes: StopNotes) -> ComponentState:
        if self.is_running:
            return ComponentState.RUNNING
        if self.status == "created" and self.started == NEVER:
            # a start that the Engine refused leaves `created` with a status of its own
            return ComponentState.FAILED if self.exit_code else ComponentState.PENDING
        if notes.covers(self.component, self.started):
            return ComponentState.STOPPED
        if self._has_succeeded:
            return ComponentState.DONE
        return ComponentState.FAILED


class StopNotes:
    """Which starts we were asked to end: one small file a component.

    Args:
        folder: where the notes are; None knows none and keeps none.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def write(self, component: str, started: str) -> None:
        """Note that the component that started then is ended on request."""
        if self._folder is not None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._folder / component).write_text(started, encoding="utf-8")

    def covers(self, component: str, started: str) -> bool:
        """Tell whether the component that started then was ended on request."""
        if self._folder is None:
            return False
        try:
            return (self._folder / component).read_text(encoding="utf-8") == started
        except OSError:
            return False


def notes_of(folder: Path | None) -> StopNotes:
    """Return the notes kept in a stack's folder."""
    return StopNotes(None if folder is None else folder / "stopped")


def _exit_status(code: int) -> int:
    return 128 - code if code in _SIGNALLED else code


def _mapping(body: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}
