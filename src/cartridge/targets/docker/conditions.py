"""What a container's inspection means as a `Condition`; shared by the quick look and the driver.

A container that ended on our request is told apart from one that ended by itself by its note (`notes`). Asks Docker
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from cartridge.targets.docker import labels, notes
from cartridge.targets.driver import ComponentState, Condition

NEVER = "0001-01-01T00:00:00Z"
"""What the Engine says for a time that has not come."""
_SIGNALLED = range(129, 193)
"""Exit statuses by which the Engine reports a signal: 128 and its number."""


class Inspection(Struct, frozen=True):
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

    def condition(self) -> Condition:
        """Return what this means."""
        note = notes.read(self.labels, self.identity)
        state = self._state(note)
        ended = state in {ComponentState.DONE, ComponentState.STOPPED, ComponentState.FAILED}
        return Condition(
            name=self.component,
            state=state,
            identity=self.identity[:12],
            exit_status=_exit_status(self.exit_code) if ended else None,
            started="" if self.started == NEVER else self.started,
            restarts=self.restarts + note.restarts,
        )

    def _state(self, note: notes.Note) -> ComponentState:
        if self.is_running:
            return ComponentState.RUNNING
        if self.status == "created" and self.started == NEVER:
            # a start that the Engine refused leaves `created` with a status of its own
            return ComponentState.FAILED if self.exit_code else ComponentState.PENDING
        if note.stopped == self.started:
            return ComponentState.STOPPED
        if self._has_succeeded:
            return ComponentState.DONE
        return ComponentState.FAILED


def count_start(seen: Inspection) -> None:
    """Take note that a container was started, if it had run before."""
    if seen.started != NEVER:
        note = notes.read(seen.labels, seen.identity)
        notes.write(seen.labels, replace(note, stopped="", restarts=note.restarts + 1))


def _exit_status(code: int) -> int:
    return 128 - code if code in _SIGNALLED else code


def _mapping(body: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}
