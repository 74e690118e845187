"""A stack with a channel that is used unconfirmed and one of type taproot: comes up, stays, changes, comes back."""

from __future__ import annotations

import json

import pytest

from tests.integration.lightning.live import LiveNetwork
from tests.scenarios import world

pytestmark = [pytest.mark.lightning, pytest.mark.slow]

EARLY = "from: alice, to: bob, capacity: 1_000_000 sat, push: 50%, zero_conf: true"
TAPROOT = "from: bob, to: carol, capacity: 1_000_000 sat, push: 50%, private: true, type: taproot"


def said(live: LiveNetwork, *arguments: str) -> dict[str, object]:
    """Return what a command answers."""
    done = live.project.cartridge(*arguments, "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def kinds(live: LiveNetwork) -> dict[str, tuple[bool, bool, str]]:
    """Return whether each channel was used unconfirmed and is not yet confirmed, and its type."""
    listed = said(live, "channel", "ls")["channels"]
    assert isinstance(listed, list)
    return {one["name"]: (one["zero_conf"], one["unconfirmed"], one["type"]) for one in listed}


def test_special_channels_come_up_change_and_come_back(everywhere: LiveNetwork) -> None:
    """And what is opened by hand pays before any block."""
    live = everywhere
    live.write(EARLY, TAPROOT)
    live.project.cartridge("up", "--target", live.target)
    ours = {"alice-bob-0": (True, False, "anchors"), "bob-carol-0": (False, False, "taproot")}
    assert kinds(live) == ours
    assert live.plan("--refresh") == ({}, {})

    opened = said(live, "channel", "open", "bob", "alice", "200_000 sat", "--zero-conf")
    assert opened["blocks"] == 0
    assert kinds(live) == {**ours, "": (True, True, "anchors")}
    assert live.plan("--refresh")[0] == {}
    assert said(live, "pay", "bob", "alice", "1000 sat")["state"] == "settled"

    said(live, "down", "--yes")
    live.project.cartridge("up", "--target", live.target)
    assert kinds(live) == ours
    assert live.plan("--refresh") == ({}, {})

    if live.target == "process":
        world.kill(world.processes(live.state().stack, "alice"))
        live.up("--refresh")
        assert kinds(live) == ours

    live.write(EARLY.replace(", zero_conf: true", ""), TAPROOT.replace("taproot", "anchors"))
    planned, _ = live.plan()
    live.up()
    assert {name: why for name, why in planned.items() if name.startswith("channel/")} == {
        "channel/alice-bob-0": (
            "replace: it is to be confirmed before it is used: it is closed, and another one opened"
        ),
        "channel/bob-carol-0": (
            "replace: its type changed from taproot to anchors: it is closed, and another one opened"
        ),
    }
    assert kinds(live) == {"alice-bob-0": (False, False, "anchors"), "bob-carol-0": (False, False, "anchors")}
    assert live.plan("--refresh") == ({}, {})
