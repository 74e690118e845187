from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cartridge.artifacts import tree
from cartridge.artifacts.channel import Unserved
from cartridge.artifacts.fetch import Fetcher, mirrored
from cartridge.clock import SystemClock
from cartridge.errors import InterruptError, MissingError
from tests.doubles.artifact_world import World, sha256
from tests.doubles.file_server import Fault, FileServer

CONTENT = bytes(range(256)) * 8192
DIGEST = tree.sri_from_hex(sha256(CONTENT))


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer({"/file": CONTENT}) as server:
        yield server


def here(root: Path) -> Path:
    folder = root / "here"
    folder.mkdir(exist_ok=True)
    return folder


def part(world: World) -> Path:
    (found,) = world.store.downloads.glob("*.part")
    return found


def test_a_file_arrives_and_is_what_was_pinned(tmp_path: Path, server: FileServer) -> None:
    path = Fetcher(World(tmp_path).sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path))

    assert path.read_bytes() == CONTENT
    assert server.requests == [("/file", "")]


def test_a_file_that_is_here_already_is_not_asked_for_again(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path)
    Fetcher(world.sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path))

    Fetcher(world.sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path))

    assert len(server.requests) == 1


def test_what_is_forgotten_stays_where_it_is_wanted(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path)
    fetcher = Fetcher(world.sources)
    path = fetcher.fetch(f"{server.url}/file", DIGEST, here(tmp_path))

    fetcher.forget()

    assert path.read_bytes() == CONTENT
    assert list(world.store.downloads.iterdir()) == []


def test_a_cut_connection_goes_on_where_it_stopped(tmp_path: Path, server: FileServer) -> None:
    server.faults["/file"] = Fault(cut_after=600_000, times=2)

    path = Fetcher(World(tmp_path).sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path))

    assert path.read_bytes() == CONTENT
    assert [asked for _, asked in server.requests] == ["", "bytes=600000-", "bytes=1200000-"]


def test_a_later_run_goes_on_with_the_part_of_an_earlier_one(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path)
    server.faults["/file"] = Fault(cut_after=0)
    with pytest.raises(Unserved, match="broke off 4 times"):
        Fetcher(world.sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path))
    part(world).write_bytes(CONTENT[:1000])
    server.faults.clear()
    server.requests.clear()

    path = Fetcher(world.sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path))

    assert path.read_bytes() == CONTENT
    assert server.requests == [("/file", "bytes=1000-")]


def test_a_part_with_wrong_bytes_is_thrown_away_and_the_file_fetched_once_more(
    tmp_path: Path, server: FileServer
) -> None:
    world = World(tmp_path)
    server.faults["/file"] = Fault(cut_after=0)
    with pytest.raises(Unserved):
        Fetcher(world.sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path))
    part(world).write_bytes(b"wrong")
    server.faults.clear()

    path = Fetcher(world.sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path))

    assert path.read_bytes() == CONTENT


def test_a_server_that_knows_no_ranges_sends_all_again(tmp_path: Path, server: FileServer) -> None:
    server.faults["/file"] = Fault(cut_after=600_000, times=1)
    world = World(tmp_path)
    Fetcher(world.sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path))
    (whole,) = world.store.downloads.iterdir()
    whole.rename(whole.with_name(f"{whole.name}.part")).write_bytes(CONTENT[:1000])
    server.faults["/file"] = Fault(ignores_range=True)

    assert Fetcher(world.sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path)).read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path)
    server.faults["/file"] = Fault(cut_after=0)
    with pytest.raises(Unserved):
        Fetcher(world.sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path))
    part(world).write_bytes(CONTENT + b"more")
    server.faults.clear()

    assert Fetcher(world.sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path)).read_bytes() == CONTENT


def test_wrong_bytes_are_refused_and_nothing_is_kept(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path)
    server.files["/file"] = b"something else"

    with pytest.raises(MissingError) as caught:
        Fetcher(world.sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path))

    assert caught.value.code == "artifact-digest-mismatch"
    assert caught.value.details[0] == f"wanted {DIGEST}"
    assert list(world.store.downloads.iterdir()) == []


def test_a_missing_file_is_a_reason_at_once(tmp_path: Path, server: FileServer) -> None:
    with pytest.raises(Unserved, match="the server answered 404") as caught:
        Fetcher(World(tmp_path).sources).fetch(f"{server.url}/none", DIGEST, here(tmp_path))

    assert caught.value.status == 404
    assert len(server.requests) == 1


def test_a_server_with_troubles_is_asked_again(tmp_path: Path, server: FileServer) -> None:
    server.faults["/file"] = Fault(status=503, times=2)

    assert Fetcher(World(tmp_path).sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path)).read_bytes() == CONTENT


def test_a_silent_server_is_left_after_the_patience_and_resumed(tmp_path: Path, server: FileServer) -> None:
    server.faults["/file"] = Fault(cut_after=500_000, hangs=True, times=1)

    path = Fetcher(World(tmp_path, patience=0.3).sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path))

    assert path.read_bytes() == CONTENT
    assert server.requests[-1] == ("/file", f"bytes={500_000 // 65_536 * 65_536}-")


def test_no_way_to_the_host_costs_less_than_two_seconds(tmp_path: Path) -> None:
    clock = SystemClock()
    began = clock.monotonic()

    with pytest.raises(Unserved, match=r"no connection to host\.invalid"):
        Fetcher(World(tmp_path).sources).fetch("https://host.invalid/file", DIGEST, here(tmp_path))

    assert clock.monotonic() - began < 2


def test_a_host_that_swallows_packets_costs_less_than_two_seconds(tmp_path: Path) -> None:
    clock = SystemClock()
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = full.getsockname()[1]
    crowd = [socket.socket() for _ in range(4)]
    for one in crowd:
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
    began = clock.monotonic()

    with pytest.raises(Unserved, match=r"no connection to 127\.0\.0\.1"):
        Fetcher(World(tmp_path).sources).fetch(f"http://127.0.0.1:{port}/file", DIGEST, here(tmp_path))

    assert clock.monotonic() - began < 2
    for one in (*crowd, full):
        one.close()


def test_offline_opens_no_socket(tmp_path: Path, server: FileServer) -> None:
    with pytest.raises(Unserved, match="this run is offline"):
        Fetcher(World(tmp_path, offline=True).sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path))

    assert server.requests == []


def test_a_file_url_is_copied_even_offline(tmp_path: Path) -> None:
    source = tmp_path / "a file"
    source.write_bytes(CONTENT)

    path = Fetcher(World(tmp_path, offline=True).sources).fetch(source.as_uri(), DIGEST, here(tmp_path))

    assert path.read_bytes() == CONTENT
    assert source.exists()


def test_an_interrupted_download_ends_at_its_next_chunk_and_keeps_its_part(tmp_path: Path, server: FileServer) -> None:
    world = World(tmp_path)
    world.sources.stopped.set()

    with pytest.raises(InterruptError):
        Fetcher(world.sources).fetch(f"{server.url}/file", DIGEST, here(tmp_path))

    assert part(world).exists()


def test_a_mirror_replaces_scheme_and_host_and_keeps_the_path() -> None:
    assert (
        mirrored("https://a.example/x/y.tar.gz?z=1", "http://b.example:8/m/") == "http://b.example:8/m/x/y.tar.gz?z=1"
    )
    assert mirrored("https://a.example/x", "") == "https://a.example/x"
    assert mirrored("file:///x", "http://b.example") == "file:///x"
