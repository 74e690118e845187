"""Every engine keeps the contract of `deploy.engine.Engine`."""

from __future__ import annotations

import threading

import pytest
from msgspec.structs import replace

from cartridge.errors import CartridgeError, InputError, MissingError
from cartridge.plan.change import Change, ChangeKind
from tests.conformance.harness import LEASE, Behaviour, World

STAYS = Behaviour()


def change(kind: ChangeKind, name: str) -> Change:
    return Change(kind, f"component/{name}", "the test wants it")


def test_a_lease_can_be_renewed_while_components_run(world: World) -> None:
    world.up(world.wanted("alice"))
    before = world.conditions()

    world.engine.begin(replace(LEASE, expires="2099-01-01T00:00:00+00:00"))

    assert world.conditions() == before


def test_every_port_has_an_address_of_its_own_and_keeps_it(world: World) -> None:
    one, two = world.wanted("alice"), world.wanted("bob")
    asked = {each.name: (each.ports, each.host_ports, each.installed) for each in (one, two)}
    world.engine.begin(LEASE)

    first, again = world.engine.place(asked), world.engine.place(asked)

    addresses = [place.listen(name, "rpc") for place in (first, again) for name in ("alice", "bob")]
    assert addresses[:2] == addresses[2:]
    assert all(address.rpartition(":")[2].isdigit() for address in addresses)
    assert first.reach("alice", "rpc") != first.reach("bob", "rpc")


def test_a_port_or_program_that_does_not_exist_is_refused_by_name(world: World) -> None:
    one = world.wanted("alice")
    world.engine.begin(LEASE)
    place = world.engine.place({"alice": (one.ports, one.host_ports, one.installed)})

    with pytest.raises(InputError) as no_port:
        place.listen("alice", "grpc")
    with pytest.raises(InputError) as no_program:
        place.program("alice", "lncli")

    assert (no_port.value.code, no_program.value.code) == ("port-unknown", "program-unknown")


def test_placing_needs_a_lease_first(world: World) -> None:
    with pytest.raises(CartridgeError):
        world.engine.place({})


def test_what_is_wanted_runs_after_its_gate_and_before_it_is_told(world: World) -> None:
    world.up(world.wanted("alice"))

    assert (world.states(), world.gated, world.told) == ({"alice": "running"}, ["alice"], ["alice"])


def test_a_gate_that_waits_for_another_start_does_not_hold_that_start_up(world: World) -> None:
    waits = {"alice": "bob", "bob": "carol", "carol": ""}

    def gate(name: str) -> None:
        met = threading.Event()
        while waits[name] and waits[name] not in world.told and not met.wait(0.01):
            pass

    world.up(*(world.wanted(name) for name in waits), gate=gate)

    assert world.told == ["carol", "bob", "alice"]


def test_a_second_apply_adopts_what_runs(world: World) -> None:
    wanted = (world.wanted("alice"), world.wanted("bob"))
    world.up(*wanted)
    before = world.conditions()
    world.gated.clear()
    world.told.clear()

    world.up(*wanted, changes=[change(ChangeKind.CREATE, "alice"), change(ChangeKind.REPLACE, "bob")])

    assert (world.conditions(), world.gated, sorted(world.told)) == (before, [], ["alice", "bob"])


def test_an_update_starts_anew_on_the_same_data(world: World) -> None:
    seeds = iter([{"kept": b"one"}, {"kept": b"two"}])
    one = world.wanted("alice", seed=lambda: next(seeds))
    world.up(one, changes=[change(ChangeKind.CREATE, "alice")])
    before = world.conditions()["alice"].identity

    world.up(replace(one, digest="second"), changes=[change(ChangeKind.UPDATE, "alice")])

    driver = world.engine.driver()
    assert driver.read("alice", "kept") == b"one"
    assert world.conditions()["alice"].identity not in ("", before)


def test_a_replacement_starts_anew_on_new_data(world: World) -> None:
    seeds = iter([{"kept": b"one"}, {"kept": b"two"}])
    one = world.wanted("alice", seed=lambda: next(seeds))
    world.up(one, changes=[change(ChangeKind.CREATE, "alice")])

    world.up(replace(one, digest="second"), changes=[change(ChangeKind.REPLACE, "alice")])

    assert world.engine.driver().read("alice", "kept") == b"two"
    assert world.states() == {"alice": "running"}


def test_what_is_not_wanted_any_more_is_removed(world: World) -> None:
    alice, bob = world.wanted("alice"), world.wanted("bob")
    world.up(alice, bob)

    world.up(alice, changes=[change(ChangeKind.DELETE, "bob")])

    assert world.states() == {"alice": "running"}


def test_a_stopped_component_is_started_again_on_its_data(world: World) -> None:
    one = world.wanted("alice", seed=lambda: {"kept": b"one"})
    world.up(one)
    world.engine.driver().stop("alice")

    world.up(one, changes=[change(ChangeKind.START, "alice")])

    assert world.states() == {"alice": "running"}
    assert world.engine.driver().read("alice", "kept") == b"one"


def test_data_is_seeded_once_only(world: World) -> None:
    seeded: list[str] = []

    def seed() -> dict[str, bytes]:
        seeded.append("alice")
        return {"wallet/db": b"\x00\x01"}

    one = world.wanted("alice", seed=seed)
    world.up(one)
    world.engine.driver().stop("alice")
    world.up(one)

    assert (seeded, world.engine.driver().read("alice", "wallet/db")) == (["alice"], b"\x00\x01")


def test_an_error_of_one_gate_ends_the_apply_while_others_still_stand(world: World) -> None:
    never = threading.Event()

    def gate(name: str) -> None:
        if name == "bob":
            never.wait(60)
        raise MissingError(f"{name} may not start", code="test")

    with pytest.raises(MissingError, match="alice may not start"):
        world.up(world.wanted("alice"), world.wanted("bob"), gate=gate)

    never.set()
    assert world.told == []


def test_an_error_of_a_gate_ends_the_apply_and_starts_nothing(world: World) -> None:
    def gate(name: str) -> None:
        raise MissingError(f"{name} may not start", code="test")

    with pytest.raises(MissingError, match="alice may not start"):
        world.up(world.wanted("alice"), gate=gate)

    assert world.told == []
    assert world.states().get("alice", "pending") == "pending"


def test_a_one_shot_is_done_when_it_ends_well_and_is_not_run_twice(world: World) -> None:
    one = world.wanted("migrate", Behaviour(("migrated",), 0), one_shot=True)
    world.up(one)
    world.wait_for("migrate", "done")

    world.up(one)

    assert world.conditions()["migrate"].exit_status == 0
    assert list(world.engine.driver().logs("migrate")) == [b"migrated"]


def test_after_an_apply_nothing_has_drifted_and_a_stop_is_drift(world: World) -> None:
    one, two = world.wanted("alice"), world.wanted("bob")
    world.up(one, two)

    before = world.engine.drift([one, two])
    world.engine.driver().stop("alice")
    after = world.engine.drift([one, two])

    assert before == ()
    assert [(found.kind, found.resource) for found in after] == [(ChangeKind.START, "component/alice")]


def test_drift_tells_what_nobody_asks_for(world: World) -> None:
    one, two = world.wanted("alice"), world.wanted("bob")
    world.up(one, two)

    assert [(found.kind, found.resource) for found in world.engine.drift([one])] == [
        (ChangeKind.DELETE, "component/bob")
    ]


def test_destroying_names_what_it_removed_and_a_second_time_finds_nothing(world: World) -> None:
    world.up(world.wanted("alice"), world.wanted("bob"))

    first, second = world.engine.destroy(), world.engine.destroy()

    assert {"component/alice", "component/bob"} <= set(first)
    assert second == ()
    assert world.states() == {}


def test_destroying_what_never_was_finds_nothing(world: World) -> None:
    assert world.engine.destroy() == ()
