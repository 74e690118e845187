"""A stack as a graph of Docker resources, and the difference to what Docker has."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from cartridge.artifacts.installed import Installed
from cartridge.deploy.engine import Lease, Wanted
from cartridge.deploy.pulumi import drift, epochs
from cartridge.deploy.pulumi.graph import Graph, Plot, draw, resource
from cartridge.deploy.pulumi.placement import DockerPlacement
from cartridge.errors import InputError
from cartridge.model.cartridge import Port, Stop
from cartridge.plan.change import Change, ChangeKind
from cartridge.render.bundle import RenderedComponent, RenderedFile
from cartridge.targets.docker import labels
from cartridge.targets.docker.conditions import Inspection
from cartridge.targets.docker.provisioner import Holding

LEASE = Lease("pair-1", "me@here:/p", "2030-01-01T00:00:00+00:00", "", "f" * 64)
PROGRAMS = Installed("lnd", "1", "go", "sha256-x", Path("/s"), {}, Path("/s"), {"lnd": "/bin/lnd"})
SECRET = "hunter2"


def wanted(name: str, *depends_on: str, digest: str = "d1") -> Wanted:
    rendered = RenderedComponent(
        name,
        ("/bin/lnd", "--configfile=/config/lnd.conf"),
        {"PASSWORD": SECRET},
        (RenderedFile("lnd.conf", SECRET.encode(), 0o600),),
    )
    return Wanted(
        name=name,
        digest=digest,
        installed=PROGRAMS,
        rendered=rendered,
        ports={"rest": Port(container=8080), "p2p": Port(container=9735, publish=False)},
        host_ports={},
        depends_on=depends_on,
        stop=Stop(signal="SIGTERM", grace="1500 ms"),
    )


def drawn(*components: Wanted, recorded: dict[str, dict[str, int]] | None = None) -> Graph:
    return draw(components, Plot(LEASE, "/state/pair-1", {}, recorded or {}))


def holding(graph: Graph, **changes: str) -> Holding:
    """Return what Docker has after `graph` was made; `changes` are container states by component, "" for gone."""
    containers = {}
    for name, spec in graph.containers.items():
        status = changes.get(name, "running")
        if status:
            marks = {**spec.labels, labels.PORTS: "{}"}
            containers[name] = Inspection("id", name, status, 1, "2030-01-01T00:00:00Z", 0, marks)
    volumes = {name: volume.name for name, volume in graph.volumes.items()}
    return Holding(containers, volumes, (graph.network.name,))


def test_what_pulumi_is_told_holds_no_content_and_no_secret() -> None:
    graph = drawn(wanted("alice", "bitcoind"))

    assert graph.container_inputs("alice") == {
        "name": "cartridge-pair-1-alice",
        "component": "alice",
        "digest": "d1",
        "network": "cartridge-pair-1",
        "volume": "cartridge-pair-1-alice",
        "image": graph.container_inputs("alice")["image"],
        "command": ["/bin/lnd", "--configfile=/config/lnd.conf"],
        "environment": ["PASSWORD"],
        "files": ["/config/lnd.conf 0600"],
        "ports": {"rest": 8080, "p2p": 9735},
        "stop": "SIGTERM 2 s",
    }
    assert SECRET not in repr((graph.container_inputs("alice"), graph.volume_inputs("alice"), graph.network_inputs()))


def test_every_resource_says_whose_it_is() -> None:
    graph = drawn(wanted("alice"))

    assert graph.containers["alice"].labels == {
        "cartridge.stack": "pair-1",
        "cartridge.component": "alice",
        "cartridge.urn": "urn:pulumi:pair-1::cartridge::cartridge:docker:Container::alice",
        "cartridge.digest": "d1",
        "cartridge.owner": "me@here:/p",
        "cartridge.created": "2030-01-01T00:00:00+00:00",
        "cartridge.expires": "",
        "cartridge.lock": "f" * 64,
        "cartridge.folder": "/state/pair-1",
    }
    assert graph.network.labels["cartridge.stack"] == graph.volumes["alice"].labels["cartridge.stack"] == "pair-1"


def test_a_port_that_was_published_before_is_asked_for_again_and_a_fixed_one_always() -> None:
    fixed = replace(wanted("bob"), host_ports={"rest": 7777})
    graph = drawn(wanted("alice"), fixed, recorded={"alice": {"rest": 20001}, "bob": {"rest": 20002}})

    ports = {
        name: [(port.name, port.host, port.fixed) for port in spec.ports] for name, spec in graph.containers.items()
    }
    assert ports == {
        "alice": [("rest", 20001, False), ("p2p", 0, False)],
        "bob": [("rest", 7777, True), ("p2p", 0, False)],
    }


@pytest.mark.parametrize(
    ("urn", "name"),
    [
        ("urn:pulumi:s::cartridge::cartridge:docker:Container::alice", "component/alice"),
        ("urn:pulumi:s::cartridge::cartridge:docker:Volume::alice", "volume/alice"),
        ("urn:pulumi:s::cartridge::cartridge:docker:Network::default", "network/default"),
        ("urn:pulumi:s::cartridge::pulumi:pulumi:Stack::cartridge-s", ""),
        ("nonsense", ""),
    ],
)
def test_a_resource_has_the_same_name_in_a_plan(urn: str, name: str) -> None:
    assert resource(urn) == name


def test_after_an_up_nothing_differs() -> None:
    graph = drawn(wanted("bitcoind"), wanted("alice", "bitcoind"))

    assert list(drift.differences(graph, holding(graph))) == []
    assert not drift.is_lost(graph, holding(graph), drift.urns(graph, "pair-1"), "pair-1")


def test_every_difference_is_told_with_its_reason() -> None:
    graph = drawn(wanted("alice"), wanted("bob"), wanted("carol", digest="new"), wanted("dave"))
    before = drawn(wanted("alice"), wanted("bob"), wanted("carol"), wanted("dave"), wanted("mallory"))
    held = holding(before, alice="", bob="exited")
    there = Holding(held.containers, {name: held.volumes[name] for name in held.volumes if name != "dave"}, ())

    assert list(drift.differences(graph, there)) == [
        Change(ChangeKind.CREATE, "network/default", "its network is gone"),
        Change(ChangeKind.CREATE, "component/alice", "its container is gone"),
        Change(ChangeKind.START, "component/bob", "its container is exited"),
        Change(ChangeKind.UPDATE, "component/carol", "its container is another one than was made"),
        Change(ChangeKind.REPLACE, "component/dave", "its volume is gone"),
        Change(ChangeKind.DELETE, "component/mallory", "the stack has no such component"),
    ]


def test_pulumi_must_look_again_only_where_it_knew_of_what_is_gone() -> None:
    graph = drawn(wanted("alice"))
    known, gone = drift.urns(graph, "pair-1"), holding(graph, alice="")

    assert drift.is_lost(graph, gone, known, "pair-1")
    assert not drift.is_lost(graph, gone, frozenset(), "pair-1")
    assert drift.is_lost(graph, Holding({}, {}, ()), known, "pair-1")


def test_a_replacement_asks_for_other_data_until_it_is_made(tmp_path: Path) -> None:
    replacing = [Change(ChangeKind.REPLACE, "component/alice", ""), Change(ChangeKind.UPDATE, "component/bob", "")]

    assert epochs.read(tmp_path) == {}
    epochs.write(tmp_path / "pulumi", epochs.after({"alice": 1}, replacing, ()))
    assert epochs.read(tmp_path / "pulumi") == {"alice": 2}
    assert epochs.after({"alice": 2}, replacing, {"alice"}) == {"alice": 2}


def test_a_placement_is_the_same_in_every_container() -> None:
    one = wanted("alice")
    place = DockerPlacement({"alice": (one.ports, one.host_ports, one.installed)})

    assert (place.listen("alice", "rest"), place.reach("alice", "p2p")) == ("0.0.0.0:8080", "alice:9735")
    assert (place.data("alice"), place.config("alice"), place.program("alice", "lnd")) == (
        "/data",
        "/config",
        "/bin/lnd",
    )
    with pytest.raises(InputError) as unknown:
        place.program("alice", "lncli")
    assert (unknown.value.code, unknown.value.resolution) == ("program-unknown", "its programs are: `lnd`")
