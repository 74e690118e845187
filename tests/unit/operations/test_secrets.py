"""A stack's secrets are made once, kept from everybody else, and the same for all who ask at once."""

from __future__ import annotations

import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cartridge.operations.access import secrets


def test_secrets_are_made_once_and_readable_by_their_owner_alone(tmp_path: Path) -> None:
    first = secrets.ensure(tmp_path / "stack")

    assert secrets.ensure(tmp_path / "stack") == first
    assert (tmp_path / "stack" / secrets.NAME).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "stack").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in (tmp_path / "stack").iterdir()] == [secrets.NAME]


def test_two_stacks_have_nothing_in_common(tmp_path: Path) -> None:
    one, other = secrets.ensure(tmp_path / "one"), secrets.ensure(tmp_path / "other")

    assert not set(one.values()) & set(other.values())


def test_many_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        every = list(pool.map(lambda _: secrets.ensure(tmp_path / "stack"), range(8)))

    assert all(one == every[0] for one in every)


def test_the_salted_form_is_what_bitcoind_computes() -> None:
    salted = hmac.new(b"salt", b"password", hashlib.sha256).hexdigest()

    assert secrets.rpcauth("user", "password", "salt") == f"user:salt${salted}"
