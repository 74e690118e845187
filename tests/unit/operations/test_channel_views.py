"""Which channel is meant by what somebody types."""

from __future__ import annotations

import pytest

from cartridge.errors import CartridgeError
from cartridge.operations.access.channel_views import pick
from cartridge.operations.results.networks import ChannelView

FIRST = ChannelView("alice-bob-0", "alice", "bob", "active", 10, 5, 5, "aa:0", "104x1x0", private=False)
SECOND = ChannelView("", "bob", "alice", "pending", 10, 5, 5, "bb:1", "", private=False)
THIRD = ChannelView("", "carol", "bob", "active", 10, 5, 5, "cc:0", "110x2x0", private=False)
EVERY = (FIRST, SECOND, THIRD)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("alice-bob-0",), FIRST),
        (("channel/alice-bob-0",), FIRST),
        (("104x1x0",), FIRST),
        (("bb:1",), SECOND),
        (("bob", "carol"), THIRD),
    ],
)
def test_a_channel_has_many_names(words: tuple[str, ...], meant: ChannelView) -> None:
    assert pick(EVERY, words) == meant


@pytest.mark.parametrize(
    ("words", "code"),
    [(("alice", "bob"), "channel-ambiguous"), (("alice", "carol"), "channel-unknown"), (("",), "channel-unknown")],
)
def test_what_is_no_one_channel_is_refused(words: tuple[str, ...], code: str) -> None:
    with pytest.raises(CartridgeError) as refused:
        pick(EVERY, words)

    assert refused.value.code == code
