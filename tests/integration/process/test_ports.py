"""Ports: free by default, held for the stack's life, kept over restarts, and a thief is named."""

from __future__ import annotations

import os
import signal
import socket
import sys

import pytest

from cartridge.errors import MissingError
from tests.conformance.waiting import until
from tests.integration.process.conftest import Stack

LISTENS = (
    "import socket, sys, time; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); "
    "s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen(); print('up', flush=True); time.sleep(1000)"
)
"""A daemon: it sets SO_REUSEADDR, as bitcoind and every Go program do."""


def port(stack: Stack, name: str = "alice", fixed: int = 0) -> int:
    """Reserve a component's port and return its number."""
    one = stack.wanted(name, fixed=fixed)
    stack.engine.begin(stack.lease())
    place = stack.engine.place({name: (one.ports, one.host_ports, one.installed)})
    return int(place.listen(name, "rpc").rpartition(":")[2])


def listener(stack: Stack, number: int) -> str:
    return f'exec {sys.executable} -I -c "{LISTENS}" {number}'


def test_a_held_port_is_nobody_elses_and_still_its_components(stack: Stack) -> None:
    number = port(stack)

    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", number))
    stack.up(stack.wanted("alice", listener(stack, number)))
    until(lambda: stack.log("alice") == ["up"], "it listens")

    with socket.create_connection(("127.0.0.1", number), 5) as connection:
        assert connection.getpeername() == ("127.0.0.1", number)


def test_a_stopped_component_finds_its_port_again(stack: Stack) -> None:
    number = port(stack)
    stack.up(stack.wanted("alice", listener(stack, number)))
    until(lambda: stack.log("alice") == ["up"], "it listens")

    stack.engine.driver().stop("alice")
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", number))
    stack.engine.driver().start("alice")

    until(lambda: stack.log("alice") == ["up", "up"], "it listens again")


def test_no_stranger_who_asks_for_any_port_gets_a_held_one(stack: Stack) -> None:
    number = port(stack)
    strangers = []
    try:
        for _ in range(2000):
            stranger = socket.socket()
            strangers.append(stranger)
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stranger.bind(("127.0.0.1", 0))

        assert number not in {stranger.getsockname()[1] for stranger in strangers}
    finally:
        for stranger in strangers:
            stranger.close()


def test_a_fixed_port_is_that_port(stack: Stack) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]

    assert port(stack, fixed=number) == number
    assert port(stack, fixed=number) == number


def test_a_fixed_port_taken_by_a_stranger_names_the_stranger(stack: Stack) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        number = stranger.getsockname()[1]

        with pytest.raises(MissingError) as taken:
            port(stack, fixed=number)

    assert taken.value.code == "port-taken"
    assert f"port {number}, wanted for `rpc` of `alice`, is taken by `" in taken.value.brief
    assert f"(process {os.getpid()})" in taken.value.brief


def test_a_fixed_port_of_another_stack_is_taken_even_while_nothing_listens(stack: Stack, other: Stack) -> None:
    number = port(stack)

    with pytest.raises(MissingError) as taken:
        port(other, fixed=number)

    assert taken.value.code == "port-taken"
    assert f"`cartridge-guard` (process {stack.hello().pid})" in taken.value.brief


def test_a_port_that_was_lost_meanwhile_is_replaced_by_a_free_one(stack: Stack) -> None:
    number = port(stack)
    os.kill(stack.hello().pid, signal.SIGKILL)
    stack.wait_empty()

    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", number))
        stranger.listen()
        again = port(stack)

    assert again not in (0, number)


def test_removing_a_component_gives_its_port_back(stack: Stack) -> None:
    number = port(stack)
    stack.up(stack.wanted("alice"))

    stack.up(stack.wanted("bob"))

    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", number))
