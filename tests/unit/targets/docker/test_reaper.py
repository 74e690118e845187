"""Which Docker resources are orphans."""

from __future__ import annotations

import datetime
from pathlib import Path

from cartridge.targets.docker.labels import Ownership
from cartridge.targets.docker.reaper import Labelled, Leftover, judge

NOW = datetime.datetime(2030, 1, 1, 12, tzinfo=datetime.UTC)
PAST, FUTURE = "2030-01-01T11:59:59+00:00", "2030-01-01T12:00:01+00:00"


def made(stack: str, folder: Path, expires: str = "", owner: str = "me@here:/project") -> Labelled:
    ownership = Ownership(stack, owner, "2030-01-01T00:00:00+00:00", expires, "0" * 64, str(folder))
    return Labelled("volume", f"cartridge-{stack}", ownership.labels("urn"))


def orphans(found: list[Labelled], leases: dict[str, str]) -> list[Leftover]:
    return list(judge(found, leases, NOW, "me@here:"))


def test_what_has_a_folder_and_time_left_is_nobody_s_to_take(tmp_path: Path) -> None:
    assert orphans([made("a", tmp_path), made("b", tmp_path, FUTURE)], {}) == []


def test_a_lease_that_has_run_out_makes_an_orphan(tmp_path: Path) -> None:
    assert orphans([made("a", tmp_path, PAST)], {}) == [
        Leftover("volume", "cartridge-a", "a", f"its lease ran out at {PAST}")
    ]


def test_a_renewed_lease_counts_before_the_label(tmp_path: Path) -> None:
    assert orphans([made("a", tmp_path, PAST)], {"a": FUTURE}) == []
    assert orphans([made("a", tmp_path, FUTURE)], {"a": PAST}) != []


def test_a_folder_that_is_gone_makes_an_orphan(tmp_path: Path) -> None:
    gone = tmp_path / "gone"

    assert orphans([made("a", gone)], {"a": ""}) == [
        Leftover("volume", "cartridge-a", "a", f"its stack's folder `{gone}` is gone")
    ]


def test_what_others_have_is_never_judged(tmp_path: Path) -> None:
    others = [made("a", tmp_path / "gone", PAST, owner) for owner in ("you@here:/p", "me@there:/p", "")]

    assert orphans(others, {}) == []
