"""Leases are written whole, found again, and end when they say."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from cartridge.deploy.engine import Lease
from cartridge.deploy.leases import Entry, Leases, expiry, is_expired, seconds
from cartridge.errors import MissingError

NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)


def entry(stack: str, expires: str = "") -> Entry:
    return Entry(
        Lease(stack, "me@here:/p", "2030-01-01T00:00:00+00:00", expires, "0" * 64), "process", "/p/.cartridge/x"
    )


def test_an_entry_comes_back_and_goes(tmp_path: Path) -> None:
    leases = Leases(tmp_path / "leases")
    leases.write(entry("b"))
    path = leases.write(entry("a"))
    leases.write(entry("a", "2030-01-02T00:00:00+00:00"))

    assert list(leases.entries()) == [entry("a", "2030-01-02T00:00:00+00:00"), entry("b")]
    assert leases.read("b") == entry("b")
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (leases.remove("a"), leases.remove("a"), leases.read("a")) == (True, False, None)


LATER = b"""{"target": "process", "folder": "/f", "later": 1,
    "lease": {"stack": "a", "owner": "b", "created": "c", "expires": "", "lock_digest": "d"}}"""


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b'{"lease": {}}', b'{"lease": 1, "target": "process"}', LATER]
)
def test_a_lease_that_cannot_be_read_is_an_error_with_a_way_out(tmp_path: Path, content: bytes) -> None:
    leases = Leases(tmp_path)
    leases.path("a").write_bytes(content)

    with pytest.raises(MissingError) as unreadable:
        leases.read("a")

    assert unreadable.value.code == "lease-unreadable"
    assert (list(leases.entries()), list(leases.unreadable())) == ([], [leases.path("a")])


def test_no_registry_is_an_empty_one(tmp_path: Path) -> None:
    leases = Leases(tmp_path / "none")

    assert (list(leases.entries()), list(leases.unreadable()), leases.read("a")) == ([], [], None)


def test_a_lease_ends_after_its_time_and_no_time_is_for_ever() -> None:
    ends, never = expiry(NOW, 1_500), expiry(NOW, None)

    assert (ends, never) == ("2030-01-01T00:00:01.500+00:00", "")
    assert not is_expired(entry("a", ends).lease, NOW)
    assert is_expired(entry("a", ends).lease, NOW + datetime.timedelta(seconds=1.5))
    assert not is_expired(entry("a", never).lease, NOW + datetime.timedelta(days=36_500))
    assert (seconds(entry("a", ends).lease), seconds(entry("a", never).lease)) == (NOW.timestamp() + 1.5, 0.0)
