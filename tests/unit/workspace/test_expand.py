"""Generated networks: the right sizes, connected, the same everywhere, and second to what is written by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartridge.model.generate import Generate
from cartridge.model.network import Network
from cartridge.workspace.expand import channel_count, expand, generated
from cartridge.workspace.source import Source

NOWHERE = Source("stack.yaml", "")


def ends(network: Network) -> list[str]:
    return [f"{channel.from_}>{channel.to}" for channel in network.channels]


def block(**written: object) -> Generate:
    return Generate.model_validate(written)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("line", ["n1>n2", "n2>n3", "n3>n4"]),
        ("ring", ["n1>n2", "n2>n3", "n3>n4", "n4>n1"]),
        ("star", ["n2>n1", "n3>n1", "n4>n1"]),
        ("mesh", ["n1>n2", "n1>n3", "n1>n4", "n2>n3", "n2>n4", "n3>n4"]),
    ],
)
def test_a_shape_decides_the_channels(shape: str, expected: list[str]) -> None:
    assert ends(generated(block(shape=shape, nodes=4))) == expected


def test_a_seed_gives_the_same_network_on_every_machine_and_version() -> None:
    by_chance = ends(generated(block(shape="random", nodes=6, channels=8, seed=7)))
    by_fame = ends(generated(block(shape="scale-free", nodes=6, channels=8, seed=7)))

    assert by_chance == ["n2>n1", "n3>n2", "n4>n3", "n5>n3", "n6>n4", "n4>n5", "n6>n2", "n2>n5"]
    assert by_fame == ["n2>n1", "n3>n1", "n4>n2", "n5>n4", "n6>n2", "n2>n3", "n4>n3", "n6>n3"]


def test_another_seed_gives_another_network() -> None:
    one, other = (generated(block(shape="random", nodes=8, channels=12, seed=seed)) for seed in (1, 2))

    assert ends(one) != ends(other)


@given(st.sampled_from(["random", "scale-free"]), st.integers(2, 40), st.integers(0, 2**40), st.data())
def test_chance_connects_everybody_with_as_many_channels_as_asked_and_no_pair_twice(
    shape: str, nodes: int, seed: int, data: st.DataObject
) -> None:
    channels = data.draw(st.integers(nodes - 1, min(nodes * (nodes - 1) // 2, 4 * nodes)))

    network = generated(block(shape=shape, nodes=nodes, channels=channels, seed=seed))

    pairs = [frozenset((channel.from_, channel.to)) for channel in network.channels]
    assert len(pairs) == len(set(pairs)) == channels
    assert all(len(pair) == 2 for pair in pairs)
    reached = {"n1"}
    for _ in network.nodes:
        reached |= {name for pair in pairs if pair & reached for name in pair}
    assert reached == set(network.nodes)


@given(st.sampled_from(["line", "ring", "star", "mesh", "random", "scale-free"]), st.integers(3, 30))
def test_as_many_channels_are_made_as_are_counted(shape: str, nodes: int) -> None:
    written = block(shape=shape, nodes=nodes)

    assert len(generated(written).channels) == channel_count(written)


def test_few_nodes_of_a_scale_free_network_have_most_channels() -> None:
    network = generated(block(shape="scale-free", nodes=100, channels=200))

    of_each = sorted(
        (sum(name in {channel.from_, channel.to} for channel in network.channels) for name in network.nodes),
        reverse=True,
    )
    assert of_each[0] > 3 * of_each[50]


def test_implementations_are_dealt_round() -> None:
    network = generated(block(shape="line", nodes=5, implementation=("lnd", "ldk")))

    assert [node.implementation for node in network.nodes.values()] == ["lnd", "ldk", "lnd", "ldk", "lnd"]


def test_names_come_before_numbers() -> None:
    network = generated(block(shape="line", nodes=4, names=("alice", "bob"), prefix="node"))

    assert list(network.nodes) == ["alice", "bob", "node3", "node4"]


def test_what_is_written_by_hand_comes_first_and_wins() -> None:
    written = Network.model_validate(
        {
            "generate": {"shape": "line", "nodes": 3},
            "nodes": {"n2": {"implementation": "ldk"}, "shop": {"implementation": "lnd"}},
            "channels": ({"from": "shop", "to": "n3", "capacity": "1_000_000 sat"},),
        }
    )

    network, findings = expand(written, NOWHERE)

    assert network is not None
    assert findings == ()
    assert network.generate is None
    assert {name: node.implementation for name, node in network.nodes.items()} == {
        "n1": "lnd",
        "n2": "ldk",
        "n3": "lnd",
        "shop": "lnd",
    }
    assert ends(network) == ["shop>n3", "n1>n2", "n2>n3"]
