"""What a container's inspection means."""

from __future__ import annotations

from pathlib import Path

import pytest

from cartridge.targets.docker import labels, notes
from cartridge.targets.docker.conditions import NEVER, Inspection, count_start
from cartridge.targets.driver import ComponentState, Condition

STARTED = "2030-01-01T00:00:00.5Z"


def body(
    status: str, *, code: int = 0, started: str = STARTED, one_shot: bool = False, folder: Path | None = None
) -> object:
    marks = {
        labels.COMPONENT: "alice",
        labels.ONE_SHOT: str(one_shot).lower(),
        labels.PORTS: '{"p2p": [9735, 0], "rest": [8080, 20001]}',
        labels.FOLDER: str(folder or ""),
        labels.DIGEST: "d1",
    }
    state = {"Status": status, "ExitCode": code, "StartedAt": started}
    return {"Id": "0123456789abcdef", "RestartCount": 0, "State": state, "Config": {"Labels": marks}}


def seen(status: str, **how: object) -> Inspection:
    return Inspection.of(body(status, **how))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("inspection", "state", "status"),
    [
        (seen("running"), ComponentState.RUNNING, None),
        (seen("paused"), ComponentState.RUNNING, None),
        (seen("created", started=NEVER), ComponentState.PENDING, None),
        (seen("created", started=NEVER, code=127), ComponentState.FAILED, 127),
        (seen("exited"), ComponentState.FAILED, 0),
        (seen("exited", code=3), ComponentState.FAILED, 3),
        (seen("exited", code=137), ComponentState.FAILED, -9),
        (seen("exited", one_shot=True), ComponentState.DONE, 0),
        (seen("exited", code=1, one_shot=True), ComponentState.FAILED, 1),
        (seen("dead"), ComponentState.FAILED, 0),
    ],
)
def test_a_state_follows_from_what_docker_says(
    inspection: Inspection, state: ComponentState, status: int | None
) -> None:
    started = "" if inspection.started == NEVER else STARTED

    assert inspection.condition() == Condition("alice", state, "0123456789ab", status, started, 0)


def test_a_container_ended_on_request_is_stopped_until_it_starts_again(tmp_path: Path) -> None:
    ended = seen("exited", code=143, folder=tmp_path)
    notes.write(ended.labels, notes.Note(ended.identity, stopped=STARTED))

    asked = ended.condition()
    count_start(ended)
    later = seen("exited", code=1, started="2030-01-01T00:00:09Z", folder=tmp_path).condition()

    assert (asked.state, asked.exit_status, asked.restarts) == (ComponentState.STOPPED, -15, 0)
    assert (later.state, later.exit_status, later.restarts) == (ComponentState.FAILED, 1, 1)


def test_a_note_on_another_container_means_nothing(tmp_path: Path) -> None:
    one = seen("exited", folder=tmp_path)
    notes.write(one.labels, notes.Note("another", stopped=STARTED, restarts=4))

    assert one.condition() == Condition("alice", ComponentState.FAILED, "0123456789ab", 0, STARTED, 0)


def test_no_note_is_written_where_the_stack_is_gone(tmp_path: Path) -> None:
    one = seen("running", folder=tmp_path / "gone")

    notes.write(one.labels, notes.Note(one.identity, stopped=STARTED))

    assert list(tmp_path.iterdir()) == []


def test_ports_are_told_apart_by_whether_they_are_published() -> None:
    one = seen("running")

    assert one.port_numbers == {"p2p": (9735, 0), "rest": (8080, 20001)}
    assert one.published == {"rest": 20001}
