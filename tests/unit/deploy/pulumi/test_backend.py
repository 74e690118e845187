"""Pulumi's files: made once, and mended after a kill."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import psutil
import pytest

from cartridge.deploy.pulumi import healing
from cartridge.deploy.pulumi.backend import Backend
from cartridge.errors import UnknownVerdictError
from tests.doubles.clock import FakeClock

URN = "urn:pulumi:pair-1::cartridge::cartridge:docker:Container::alice"


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    made = Backend("pair-1", tmp_path / "pair-1")
    made.prepare()
    return made


def lock(backend: Backend, pid: int, *, host: str | None = None, since: str = "2200-01-01T00:00:00.123456789Z") -> Path:
    """Put a lock there; by default one that is younger than any process."""
    folder = backend.state_file.parents[2] / "locks" / "organization" / "cartridge" / "pair-1"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{pid}.json"
    body = {"pid": pid, "username": "me", "hostname": host or socket.gethostname(), "timestamp": since}
    path.write_text(json.dumps(body))
    return path


def dead_pid() -> int:
    return next(pid for pid in range(2**22 - 1, 1, -1) if not psutil.pid_exists(pid))


def left(backend: Backend, **latest: object) -> None:
    """Write a state with these resources or pending operations."""
    body = {"version": 3, "checkpoint": {"stack": "organization/cartridge/pair-1", "latest": latest}}
    backend.state_file.write_text(json.dumps(body))


def test_all_files_are_private_and_the_key_is_the_project_s(backend: Backend, tmp_path: Path) -> None:
    key = (tmp_path / "pulumi.key").read_text()
    other = Backend("other-2", tmp_path / "other-2")
    other.prepare()
    backend.prepare()

    assert (tmp_path / "pulumi.key").read_text() == key
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(backend.work.stat().st_mode) == 0o700


def test_no_secret_is_in_the_variables_but_where_it_is(backend: Backend, tmp_path: Path) -> None:
    backend.write_environment()

    key = (tmp_path / "pulumi.key").read_text().strip()
    assert backend.environment()["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(tmp_path / "pulumi.key")
    assert key not in (backend.work / "env").read_text()


def test_a_salt_is_kept_for_the_stacks_that_come_later(backend: Backend, tmp_path: Path) -> None:
    (backend.work / "Pulumi.pair-1.yaml").write_text("encryptionsalt: v1:abc=:v1:def\n")
    backend.keep_salt()
    other = Backend("other-2", tmp_path / "other-2")
    other.prepare()

    assert (other.work / "Pulumi.other-2.yaml").read_text() == "encryptionsalt: v1:abc=:v1:def\n"


def test_a_stack_made_by_hand_knows_nothing(backend: Backend) -> None:
    assert (backend.known(), backend.has_pending()) == (frozenset(), False)


def test_what_pulumi_knows_are_our_resources(backend: Backend) -> None:
    left(backend, resources=[{"urn": URN}, {"urn": "urn:pulumi:pair-1::cartridge::pulumi:pulumi:Stack::x"}])

    assert backend.known() == {URN}


def test_an_operation_that_never_ended_is_pending(backend: Backend) -> None:
    left(backend, pending_operations=[{"resource": {"urn": URN}, "type": "creating"}])

    assert backend.has_pending()


def test_a_torn_state_is_begun_again(backend: Backend) -> None:
    backend.state_file.write_text('{"version": 3, "checkp')

    assert backend.known() == frozenset()
    backend.prepare()
    assert json.loads(backend.state_file.read_text())["version"] == 3


def test_locks_of_the_dead_go(backend: Backend) -> None:
    paths = [lock(backend, dead_pid()), lock(backend, os.getpid(), since="2001-01-01T00:00:00Z")]
    (paths[0].parent / "torn.json").write_text("{")

    assert healing.free_locks(backend, FakeClock()) == 3
    assert list(backend.locks()) == []


def test_a_lock_of_the_living_is_waited_for_and_then_told(backend: Backend) -> None:
    path, clock = lock(backend, os.getpid()), FakeClock()

    with pytest.raises(UnknownVerdictError) as locked:
        healing.free_locks(backend, clock)

    assert (locked.value.code, path.exists()) == ("stack-locked", True)
    assert healing.PATIENCE <= clock.monotonic() < healing.PATIENCE + 1


def test_a_lock_of_another_machine_is_never_judged(backend: Backend) -> None:
    path, clock = lock(backend, dead_pid(), host="elsewhere"), FakeClock()

    with pytest.raises(UnknownVerdictError) as locked:
        healing.free_locks(backend, clock)

    assert ("`elsewhere`" in locked.value.brief, str(path) in locked.value.resolution) == (True, True)
    assert clock.monotonic() == 0
