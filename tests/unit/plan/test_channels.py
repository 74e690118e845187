"""The plan says of each channel what will be done to it, and why."""

from __future__ import annotations

import pytest

from cartridge.plan.change import Change, ChangeKind
from cartridge.plan.channels import channel_changes, channel_records, pair_up
from tests.doubles.stacks import network

ONE: dict[str, object] = {"from": "alice", "to": "bob", "capacity": "1_000_000 sat", "push": "50%"}
SMALL = {**ONE, "capacity": "300_000 sat"}
NAME = "channel/alice-bob-0"


def changes(old: tuple[dict[str, object], ...], new: tuple[dict[str, object], ...]) -> tuple[Change, ...]:
    """Return what is planned between two ways to write the channels of a network."""
    return channel_changes(channel_records(network(*new)), channel_records(network(*old)))


PLANNED = {
    "nothing": (ONE, ChangeKind.KEEP, "it is open as written"),
    "its capacity": (
        {**ONE, "capacity": "2_000_000 sat"},
        ChangeKind.REPLACE,
        "its capacity changed from 1_000_000 sat to 2_000_000 sat: it is closed, and another one opened",
    ),
    "its privacy": (
        {**ONE, "private": True},
        ChangeKind.REPLACE,
        "it is private now: it is closed, and another one opened",
    ),
    "its push": (
        {**ONE, "push": "49%"},
        ChangeKind.UPDATE,
        "its push changed from 50% to 49%: a payment moves the difference",
    ),
    "its push, to as many millisatoshis as there were parts per million": (
        {**ONE, "push": "500 sat"},
        ChangeKind.REPLACE,
        "its push changed from 50% to 500 sat, less than a payment can bring it to: it is closed, and another one"
        " opened",
    ),
    "its push, to what one end must keep": (
        {**ONE, "push": "10_000 sat"},
        ChangeKind.UPDATE,
        "its push changed from 50% to 10_000 sat: a payment moves the difference",
    ),
    "a policy": (
        {**ONE, "policies": {"bob": {"fee_rate": 7, "base_fee": "2 sat", "time_lock_delta": 40}}},
        ChangeKind.UPDATE,
        "`bob`'s base_fee changes to 2 sat; `bob`'s fee_rate changes to 7 ppm; "
        "`bob`'s time_lock_delta changes to 40 blocks",
    ),
}


@pytest.mark.parametrize(("written", "kind", "reason"), PLANNED.values(), ids=PLANNED)
def test_a_change_of_a_channel_says_what_it_takes(written: dict[str, object], kind: ChangeKind, reason: str) -> None:
    assert changes((ONE,), (written,)) == (Change(kind, NAME, reason),)


def test_another_value_of_a_policy_is_told_with_the_one_before() -> None:
    old, new = ({**ONE, "policies": {"alice": {"fee_rate": rate}}} for rate in (7, 8))

    assert changes((old,), (new,)) == (
        Change(ChangeKind.UPDATE, NAME, "`alice`'s fee_rate changes from 7 ppm to 8 ppm"),
    )


def test_what_is_no_longer_written_of_a_policy_stays_as_it_is() -> None:
    old = {**ONE, "policies": {"alice": {"fee_rate": 7}}}

    assert changes((old,), (ONE,)) == (
        Change(ChangeKind.KEEP, NAME, "it is open as written; `alice`'s fee_rate is no longer written and stays"),
    )


def test_what_goes_is_told_before_what_stays_and_comes() -> None:
    other = {**ONE, "from": "bob", "to": "alice"}

    assert changes((ONE,), (other,)) == (
        Change(ChangeKind.DELETE, NAME, "the network no longer has it: it is closed"),
        Change(ChangeKind.CREATE, "channel/bob-alice-0", "it is not open yet"),
    )


def test_the_second_stays_when_the_first_goes_under_the_number_it_has_now() -> None:
    assert changes((ONE, SMALL), (SMALL,)) == (
        Change(ChangeKind.DELETE, NAME, "the network no longer has it: it is closed"),
        Change(ChangeKind.KEEP, NAME, "it is open as written, as `alice-bob-1` before"),
    )


PAIRED = {
    "all as they were": ((ONE, SMALL), (ONE, SMALL), {"alice-bob-0": "alice-bob-0", "alice-bob-1": "alice-bob-1"}),
    "in another order": ((ONE, SMALL), (SMALL, ONE), {"alice-bob-0": "alice-bob-1", "alice-bob-1": "alice-bob-0"}),
    "alike by what they are, not by their split": (
        (ONE, {**ONE, "push": "10%"}),
        ({**ONE, "push": "10%"},),
        {"alice-bob-0": "alice-bob-1"},
    ),
    "alike but for the split": ((ONE,), ({**ONE, "push": "10%"},), {"alice-bob-0": "alice-bob-0"}),
    "one more before it": (
        (SMALL,),
        (ONE, SMALL),
        {"alice-bob-1": "alice-bob-0"},
    ),
    "nothing alike but the ends": ((ONE,), (SMALL,), {"alice-bob-0": "alice-bob-0"}),
}


@pytest.mark.parametrize(("old", "new", "pairs"), PAIRED.values(), ids=PAIRED)
def test_a_channel_is_the_one_it_looks_most_like(
    old: tuple[dict[str, object], ...], new: tuple[dict[str, object], ...], pairs: dict[str, str]
) -> None:
    assert pair_up(channel_records(network(*new)), channel_records(network(*old))) == pairs


def test_channels_of_a_node_made_anew_are_opened_anew() -> None:
    records = channel_records(network(ONE))

    assert channel_changes(records, records, anew={"bob"}) == (Change(ChangeKind.REPLACE, NAME, "`bob` is made anew"),)
