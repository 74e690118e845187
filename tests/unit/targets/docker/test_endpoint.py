"""Reaching a Docker Engine, and the words for not reaching it."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from cartridge.errors import MissingError
from cartridge.targets.docker import endpoint, glance, ports


def served(path: Path, answer: bytes) -> None:
    """Answer one connection on a Unix socket with these bytes."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def answer_once() -> None:
        connection, _ = listener.accept()
        with listener, connection:
            connection.recv(65536)
            connection.sendall(answer)

    threading.Thread(target=answer_once, daemon=True).start()


def test_an_engine_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingError) as missing:
        endpoint.dial(tmp_path / "docker.sock", 1.0)

    assert (missing.value.code, str(tmp_path) in missing.value.brief) == ("docker-missing", True)


def test_a_socket_one_may_not_open_is_a_matter_of_permission() -> None:
    error = endpoint.unreachable("/run/docker.sock", PermissionError(13, "Permission denied"))

    assert isinstance(error, MissingError)
    assert (error.code, error.brief) == ("docker-permission", "you may not use the Docker Engine at `/run/docker.sock`")


def test_an_engine_on_another_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2375")

    with pytest.raises(MissingError) as remote:
        endpoint.socket_path(None)

    assert remote.value.code == "docker-remote"


def test_docker_host_says_where_the_socket_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/user/7/docker.sock")
    given = endpoint.socket_path(None)
    monkeypatch.delenv("DOCKER_HOST")

    assert (given, endpoint.socket_path(None)) == (Path("/run/user/7/docker.sock"), Path("/var/run/docker.sock"))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[",
    ],
)
def test_an_engine_that_answers_badly_is_down(tmp_path: Path, answer: bytes) -> None:
    served(tmp_path / "d.sock", answer)

    with pytest.raises(MissingError) as down:
        glance.look("stack", f"unix://{tmp_path}/d.sock")

    assert down.value.code == "target-down"


def test_a_stack_of_which_the_engine_knows_nothing_has_no_components(tmp_path: Path) -> None:
    served(tmp_path / "d.sock", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")

    assert glance.glance("stack", f"unix://{tmp_path}/d.sock") == {}


def test_a_port_follows_from_what_it_is_for_and_avoids_what_is_taken() -> None:
    first = ports.choose("stack/alice/rest")

    assert ports.choose("stack/alice/rest") == first
    assert ports.FIRST <= first < ports.FIRST + ports.COUNT
    assert ports.choose("stack/alice/rest", {first}) != first


def test_a_port_in_use_is_not_chosen() -> None:
    first = ports.choose("a-port-in-use")
    with socket.create_server(("127.0.0.1", first)):
        assert not ports.is_free(first)
        assert ports.choose("a-port-in-use") != first
