"""Whatever is killed while a stack comes up in Docker, the next `up` or `down` mends it."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from cartridge.clock import SystemClock
from cartridge.errors import CartridgeError
from cartridge.journal.events import StepEnded
from cartridge.journal.recorder import Entry
from cartridge.plan.change import Change, ChangeKind
from cartridge.targets.docker import asked, client, labels, reaper
from tests.integration.docker.conftest import Stack

pytestmark = [pytest.mark.docker, pytest.mark.pulumi]

STEPS = ["make/network", "make/container/alice", "gate/bob", "start/bob", "pulumi/up"]


@pytest.mark.parametrize("step", STEPS)
def test_an_up_that_was_killed_is_taken_up_again(stack: Stack, step: str) -> None:
    stack.killed_up(step, "us")

    engine = stack.up("alice", "bob")

    assert stack.states() == {"alice": "running", "bob": "running"}
    assert [engine.driver().read(name, "seed") for name in ("alice", "bob")] == [b"alice", b"bob"]
    assert len(stack.left()) == 5
    assert {found.kind for found in engine.preview([stack.wanted("alice"), stack.wanted("bob")], ())} == {
        ChangeKind.KEEP
    }


def test_an_up_whose_pulumi_was_killed_says_so_and_is_taken_up_again(stack: Stack) -> None:
    stack.killed_up("pulumi/up", "pulumi")

    engine = stack.up("alice", "bob")

    assert stack.states() == {"alice": "running", "bob": "running"}
    assert {found.kind for found in engine.preview([stack.wanted("alice"), stack.wanted("bob")], ())} == {
        ChangeKind.KEEP
    }


@pytest.mark.parametrize("step", STEPS)
def test_an_up_that_was_killed_is_ended_without_a_trace(stack: Stack, step: str) -> None:
    stack.killed_up(step, "us")

    stack.engine().destroy()

    assert stack.left() == []
    assert not (stack.state / "pulumi").exists()
    stack.wait_no_cli()


def test_what_docker_makes_only_after_the_sweep_for_a_run_that_was_killed_goes_as_well(stack: Stack) -> None:
    def make_late(entry: Entry) -> None:
        if isinstance(entry.event, StepEnded) and entry.event.step == "remove/network/default":
            client.connect().create_volume(f"cartridge-{stack.name}-late", labels=marks)

    stack.up("alice")
    marks = {labels.STACK: stack.name, labels.COMPONENT: "late", labels.FOLDER: str(stack.state)}
    with pytest.raises(KeyboardInterrupt), asked.asking("volume", marks):
        raise KeyboardInterrupt

    removed = stack.engine(make_late).destroy()

    assert removed == ("component/alice", "network/default", "volume/alice", "volume/late")
    assert stack.left() == []


def test_a_cli_dies_with_whoever_started_it(stack: Stack) -> None:
    stack.killed_up("gate/bob", "us")

    stack.wait_no_cli()


def test_what_somebody_removed_behind_our_back_is_made_again(stack: Stack) -> None:
    engine = stack.up("alice", "bob")
    wanted = [stack.wanted("alice"), stack.wanted("bob")]
    docker = client.connect()
    docker.remove_container(f"cartridge-{stack.name}-alice", force=True)

    drift = engine.drift(wanted)
    stack.up("alice", "bob")

    assert drift == (Change(ChangeKind.CREATE, "component/alice", "its container is gone"),)
    assert stack.states() == {"alice": "running", "bob": "running"}
    assert engine.drift(wanted) == ()


def test_a_stack_whose_pulumi_state_is_lost_is_adopted(stack: Stack) -> None:
    stack.up("alice")
    before = stack.engine().driver().conditions()
    for path in (stack.state / "pulumi").rglob(f"{stack.name}.json"):
        path.unlink()

    stack.up("alice")

    assert stack.engine().driver().conditions() == before


def test_a_stack_whose_pulumi_is_gone_is_ended_all_the_same(stack: Stack) -> None:
    stack.up("alice")
    stack.pulumi = Path("/nowhere/pulumi")

    removed = stack.engine().destroy()

    assert removed == ("component/alice", "network/default", "volume/alice")
    assert stack.left() == []


def test_a_name_a_stranger_has_is_not_taken_from_it(stack: Stack) -> None:
    docker = client.connect()
    name = f"cartridge-{stack.name}-alice"
    docker.create_volume(name)
    try:
        with pytest.raises(CartridgeError) as taken:
            stack.up("alice")
        stack.engine().destroy()

        assert taken.value.code == "docker-name-taken"
        assert docker.inspect_volume(name)["Name"] == name
    finally:
        docker.remove_volume(name)


def test_a_host_port_taken_meanwhile_is_given_up_for_another(stack: Stack) -> None:
    engine = stack.up("alice")
    driver = engine.driver()
    first = driver.address("alice", "rpc").port
    driver.stop("alice")
    with socket.create_server(("127.0.0.1", first)):
        stack.up("alice")

        assert driver.address("alice", "rpc").port != first
        assert driver.read("alice", "seed") == b"alice"
        assert stack.states() == {"alice": "running"}


def test_no_secret_and_no_content_is_in_what_pulumi_keeps(stack: Stack) -> None:
    stack.up("alice")

    kept = [path.read_bytes() for path in (stack.state / "pulumi").rglob("*") if path.is_file()]
    assert not any(b"key=value" in raw for raw in kept)


def test_gc_finds_what_a_stack_left_whose_folder_is_gone(stack: Stack) -> None:
    stack.killed_up("gate/bob", "us")
    stack.wait_no_cli()
    shutil.rmtree(stack.state)
    docker, now = client.connect(), SystemClock().now()

    orphans = reaper.judge(reaper.everything(docker), {}, now, "tests@here:")
    gone = reaper.remove(docker, [one for one in orphans if one.stack == stack.name])

    assert [one.kind for one in gone] == ["container", "container", "volume", "volume", "network"]
    assert (stack.left(), reaper.remove(docker, gone)) == ([], [])
