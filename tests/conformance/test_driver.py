"""Every driver keeps the contract of `targets.driver.Driver`."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import pytest

from cartridge.errors import MissingError
from cartridge.model.cartridge import Stop
from cartridge.targets.driver import ComponentState, Condition, Driver, Ran
from tests.conformance.harness import Behaviour, World
from tests.conformance.waiting import BOUND, until


def test_a_running_component_has_an_identity_and_no_exit_status(world: World) -> None:
    world.up(world.wanted("alice"))

    look = world.conditions()["alice"]

    assert look == Condition("alice", ComponentState.RUNNING, look.identity, None, look.started, 0)
    assert look.identity
    assert look.started.startswith("20")


def test_a_component_that_ends_by_itself_has_failed_with_its_status(world: World) -> None:
    world.up(world.wanted("alice"), world.wanted("job", Behaviour(ends=0), one_shot=True))
    world.wait_for("job", "done")

    look = world.conditions()["job"]

    assert (look.state, look.exit_status) == (ComponentState.DONE, 0)


def test_deaths_are_told_those_that_were_first_and_a_request_to_end_is_none(world: World) -> None:
    world.up(
        world.wanted("early", Behaviour(ends=3)),
        world.wanted("job", Behaviour(ends=0), one_shot=True),
        world.wanted("alice"),
        world.wanted("bob"),
    )
    world.wait_for("early", "failed")
    world.wait_for("job", "done")
    driver = world.engine.driver()
    told: queue.Queue[str] = queue.Queue()
    deaths = driver.deaths()
    watch = threading.Thread(target=lambda: [told.put(name) for name in deaths], daemon=True)
    watch.start()

    first = told.get(timeout=BOUND)
    driver.stop("bob")
    world.crash("alice")
    rest = {told.get(timeout=BOUND)}
    while "alice" not in rest:  # one that was told may be told again
        rest.add(told.get(timeout=BOUND))
    deaths.close()
    watch.join(BOUND)

    assert (first, rest - {"early"}, watch.is_alive()) == ("early", {"alice"}, False)


def test_a_stop_and_a_start_keep_address_and_data(world: World) -> None:
    world.up(world.wanted("alice", seed=lambda: {"kept": b"yes"}))
    driver = world.engine.driver()
    address, before = driver.address("alice", "rpc"), world.conditions()["alice"]

    driver.stop("alice")
    stopped = world.conditions()["alice"]
    driver.start("alice")
    after = world.conditions()["alice"]

    assert (stopped.state, after.state) == (ComponentState.STOPPED, ComponentState.RUNNING)
    assert (before.restarts, after.restarts) == (0, 1)
    assert (driver.address("alice", "rpc"), driver.read("alice", "kept")) == (address, b"yes")


def test_stopping_what_is_stopped_and_starting_what_runs_change_nothing(world: World) -> None:
    world.up(world.wanted("alice"))
    driver = world.engine.driver()
    running = world.conditions()

    driver.start("alice")
    still_running = world.conditions()
    driver.stop("alice")
    driver.stop("alice")

    assert still_running == running
    assert world.states() == {"alice": "stopped"}


@pytest.mark.timeout(60)  # far less than the grace
def test_what_does_not_end_within_what_was_said_is_killed(world: World) -> None:
    deaf = Behaviour(("deaf",), deaf=True)
    world.up(world.wanted("alice", deaf, stop=Stop(signal="SIGTERM", grace="10 m")))
    driver = world.engine.driver()
    until(lambda: list(driver.logs("alice")) == [b"deaf"], "it is deaf")

    driver.stop("alice", within=1)

    assert world.states() == {"alice": "stopped"}


def test_a_killed_component_has_failed_and_starts_again_on_its_data(world: World) -> None:
    world.up(world.wanted("alice", seed=lambda: {"kept": b"yes"}))
    driver = world.engine.driver()

    driver.kill("alice")
    world.wait_for("alice", "failed")
    driver.kill("alice")
    driver.start("alice")

    assert (world.states(), driver.read("alice", "kept")) == ({"alice": "running"}, b"yes")


def test_an_address_is_on_the_loopback(world: World) -> None:
    world.up(world.wanted("alice"))

    address = world.engine.driver().address("alice", "rpc")

    assert (address.host, str(address)) == ("127.0.0.1", f"127.0.0.1:{address.port}")


def test_a_log_is_read_as_lines_oldest_first(world: World) -> None:
    world.up(world.wanted("alice", Behaviour(("one", "two", "three"))))
    driver = world.engine.driver()
    until(lambda: len(list(driver.logs("alice"))) == 3, "three lines were logged")

    assert list(driver.logs("alice")) == [b"one", b"two", b"three"]
    assert list(driver.logs("alice", tail=2)) == [b"two", b"three"]
    assert list(driver.logs("alice", tail=0)) == []
    assert list(driver.logs("alice", tail=9)) == [b"one", b"two", b"three"]


def test_following_a_log_ends_with_the_component(world: World) -> None:
    world.up(world.wanted("job", Behaviour(("one", "two"), 0), one_shot=True))

    assert list(world.engine.driver().logs("job", follow=True)) == [b"one", b"two"]


def test_a_program_runs_with_what_it_is_given(world: World) -> None:
    world.up(world.wanted("alice"))
    driver = world.engine.driver()

    assert driver.run("alice", ["cat"], stdin=b"\x00bytes\n") == Ran(0, b"\x00bytes\n", b"")
    assert driver.run("alice", ["false"]).status == 1


def test_a_file_that_is_not_there_is_missing(world: World) -> None:
    world.up(world.wanted("alice"))

    with pytest.raises(MissingError) as missing:
        world.engine.driver().read("alice", "no/such/file")

    assert missing.value.code == "file-missing"


def test_a_rendered_file_is_where_the_placement_says(world: World) -> None:
    one = world.wanted("alice")
    world.up(one)
    place = world.engine.place({"alice": (one.ports, one.host_ports, one.installed)})

    assert world.engine.driver().read("alice", f"{place.config('alice')}/its.conf") == b"key=value\n"


def test_the_data_folder_is_a_folder_or_nowhere(world: World) -> None:
    world.up(world.wanted("alice"))

    folder = world.engine.driver().data_folder("alice")

    assert (folder is not None and folder.is_dir()) is world.target.has_folders


ASKED: dict[str, Callable[[Driver], object]] = {
    "address": lambda driver: driver.address("mallory", "rpc"),
    "logs": lambda driver: list(driver.logs("mallory")),
    "run": lambda driver: driver.run("mallory", ["cat"]),
    "interactive": lambda driver: driver.interactive("mallory", ["cat"]),
    "stop": lambda driver: driver.stop("mallory"),
    "start": lambda driver: driver.start("mallory"),
    "read": lambda driver: driver.read("mallory", "file"),
    "data_folder": lambda driver: driver.data_folder("mallory"),
}


@pytest.mark.parametrize("method", ASKED)
def test_a_component_the_stack_does_not_have_is_unknown(world: World, method: str) -> None:
    world.up(world.wanted("alice"))

    with pytest.raises(MissingError) as unknown:
        ASKED[method](world.engine.driver())

    assert unknown.value.code == "component-unknown"
