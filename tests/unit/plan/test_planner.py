"""A plan says for each resource what will be done and why."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cartridge.model.cartridge import Port
from cartridge.plan.change import Change, ChangeKind
from cartridge.plan.channels import channel_records
from cartridge.plan.digest import component_parts, digest
from cartridge.plan.planner import plan
from cartridge.plan.state import ComponentRecord, State, decode, encode
from cartridge.workspace.resolved import ResolvedStack
from tests.doubles.stacks import component, network, stack

PINS = {"sleep": "pinned"}


def applied(wanted: ResolvedStack) -> State:
    """Return the state a successful `up` of this stack leaves."""
    records = {}
    for one in wanted.components:
        parts = component_parts(wanted, one, PINS)
        records[one.name] = ComponentRecord(one.kind, digest(parts), parts)
    return State(
        "shop-1",
        "shop",
        "process",
        "2030-01-01",
        ready=True,
        components=records,
        channels=channel_records(wanted.network),
    )


def test_nothing_there_yet_means_create_in_dependency_order() -> None:
    wanted = stack(component("db"), component("web", depends_on=("db",)))

    changes = plan("shop-1", wanted, None, PINS).changes

    assert changes == (
        Change(ChangeKind.CREATE, "component/db", "it does not exist yet"),
        Change(ChangeKind.CREATE, "component/web", "it does not exist yet"),
    )


def test_what_is_as_it_was_is_kept_and_said_so() -> None:
    wanted = stack()

    made = plan("shop-1", wanted, applied(wanted), PINS)

    assert made.changes == (Change(ChangeKind.KEEP, "component/web", "nothing it is made of changed"),)
    assert not made.has_changes


CHANGED = {
    "its settings": (stack(component(settings={"greeting": "bye"})), "its settings changed"),
    "its template": (stack(template="shout {{ settings.greeting }}\n"), "its templates changed"),
    "its command": (stack(component(command=("sleep", "61"))), "its command changed"),
    "its ports": (stack(component(ports={"http": Port(container=81)})), "its ports changed"),
    "a fixed port": (stack(component(fixed_ports={"http": 8080})), "its ports changed"),
    "two things": (
        stack(component(settings={"greeting": "bye"}, command=("sleep", "61"))),
        "its command and settings changed",
    ),
}


@pytest.mark.parametrize(("wanted", "reason"), CHANGED.values(), ids=CHANGED)
def test_a_change_is_an_update_that_names_what_changed(wanted: ResolvedStack, reason: str) -> None:
    changes = plan("shop-1", wanted, applied(stack()), PINS).changes

    assert changes == (Change(ChangeKind.UPDATE, "component/web", reason),)


def test_another_pin_of_its_program_is_an_update() -> None:
    changes = plan("shop-1", stack(), applied(stack()), {"sleep": "another"}).changes

    assert changes == (Change(ChangeKind.UPDATE, "component/web", "its program changed"),)


def test_another_kind_under_the_same_name_is_a_replacement() -> None:
    changes = plan("shop-1", stack(component(kind="cache")), applied(stack()), PINS).changes

    assert changes == (Change(ChangeKind.REPLACE, "component/web", "it was a `web` and is now a `cache`"),)


def test_what_is_no_longer_asked_for_goes_first_dependents_before_what_they_need() -> None:
    before = stack(component("db"), component("web", depends_on=("db",)), component("kept"))

    changes = plan("shop-1", stack(component("kept")), applied(before), PINS).changes

    assert [(change.kind, change.resource) for change in changes] == [
        (ChangeKind.DELETE, "component/web"),
        (ChangeKind.DELETE, "component/db"),
        (ChangeKind.KEEP, "component/kept"),
    ]


def test_an_up_that_did_not_end_is_gone_on_with() -> None:
    state = replace(applied(stack()), ready=False)

    made = plan("shop-1", stack(), state, PINS)

    assert made.changes[-1] == Change(ChangeKind.START, "stack", "the last `up` did not reach ready")
    assert made.has_changes


def test_channels_are_told_apart_by_their_ends_and_a_number() -> None:
    one = {"from": "alice", "to": "bob", "capacity": "1_000_000 sat"}

    changes = plan("shop-1", stack(network=network(one, one)), None, PINS).changes[1:]

    assert changes == (
        Change(ChangeKind.CREATE, "channel/alice-bob-0", "it is not open yet"),
        Change(ChangeKind.CREATE, "channel/alice-bob-1", "it is not open yet"),
    )


def test_channels_of_a_node_that_leaves_are_closed_before_it_goes() -> None:
    one = {"from": "alice", "to": "bob", "capacity": "1_000_000 sat"}
    both = tuple(component(name) for name in ("alice", "bob"))
    before = stack(*both, network=network(one))

    changes = plan("shop-1", stack(both[0], network=network(nodes=("alice",))), applied(before), PINS).changes

    assert changes == (
        Change(ChangeKind.DELETE, "channel/alice-bob-0", "`bob` leaves: it is closed before"),
        Change(ChangeKind.DELETE, "component/bob", "the stack no longer has it"),
        Change(ChangeKind.KEEP, "component/alice", "nothing it is made of changed"),
    )


def test_a_node_made_anew_is_not_paid_beside_its_new_wallet() -> None:
    """Its component's kind changed, so what the one before it was given does not count."""
    wanted = stack(component("alice", kind="ldk"), component("bob", kind="lnd"), network=network())
    before = replace(applied(wanted), given={"alice": 1, "bob": 1})
    record = before.components["alice"]
    before = replace(before, components={**before.components, "alice": replace(record, kind="lnd")})

    changes = plan("shop-1", wanted, before, PINS).changes

    assert [change for change in changes if change.resource.startswith("wallet/")] == [
        Change(
            ChangeKind.UPDATE, "wallet/bob", "its balance grows from 1 msat to 100_000_000 sat: the difference is paid"
        )
    ]


def test_a_state_of_an_older_release_is_read_without_its_channels() -> None:
    raw = b'{"version": 1, "stack": "s", "name": "n", "target": "process", "created": "", "channels": {"a-b-0": "f00"}}'

    assert decode(raw).channels == {}


def test_equal_stacks_have_equal_digests_however_they_are_written() -> None:
    there = component(environment={"A": "1", "B": "2"})
    back = component(environment={"B": "2", "A": "1"})

    assert plan("s", stack(there), None, PINS).digest == plan("s", stack(back), None, PINS).digest


def test_a_state_comes_back_from_disk_as_it_went() -> None:
    state = applied(stack(network=network({"from": "alice", "to": "bob", "capacity": "1_000_000 sat"})))

    assert decode(encode(state)) == state


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"version": 2}', b'{"version": 1, "stack": "s", "surprise": 1}'])
def test_a_state_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the reader adds the path and says what to do
        decode(raw)
