"""Files of other tools: read as they are, made to fit, and each change told."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from cartridge.errors import InputError
from cartridge.lightning.foreign import document, formats
from cartridge.lightning.foreign.fitting import Fitted, Wish, fit
from cartridge.lightning.foreign.imported import Imported, ImportedChannel, ImportedNode, ImportedPolicy
from cartridge.lightning.impossible import problems
from cartridge.model.stack import Stack
from cartridge.workspace.parse import parse
from cartridge.workspace.validate import validate

POLICY = {
    "time_lock_delta": 40,
    "min_htlc": "1000",
    "fee_base_msat": "1000",
    "fee_rate_milli_msat": "50",
    "disabled": False,
    "max_htlc_msat": "495000000",
}
GRAPH = {
    "nodes": [
        {"pub_key": "02aa", "alias": "Coffee Shop ☕", "color": "#000000"},
        {"pub_key": "03bb", "alias": "customer"},
        {"pub_key": "03cc", "alias": ""},
    ],
    "edges": [
        {
            "channel_id": "200",
            "chan_point": "f0:1",
            "capacity": "500000",
            "node1_pub": "02aa",
            "node2_pub": "03bb",
            "node1_policy": POLICY,
            "node2_policy": {**POLICY, "disabled": True, "time_lock_delta": 6},
        },
        {"channel_id": "100", "capacity": "0", "node1_pub": "03cc", "node2_pub": "02aa"},
        {"channel_id": "300", "capacity": "500000", "node1_pub": "03cc", "node2_pub": "02dd"},
    ],
}
EXPORT = {
    "network": {
        "id": 3,
        "name": "My Café",
        "nodes": {
            "bitcoin": [
                {"name": "backend1", "implementation": "bitcoind"},
                {"name": "backend2", "implementation": "bitcoind"},
            ],
            "lightning": [
                {"name": "alice", "implementation": "LND", "version": "0.20.0-beta"},
                {"name": "bob", "implementation": "c-lightning", "version": "25.12"},
                {"name": "bitcoind", "implementation": "litd", "version": "0.16"},
            ],
            "tap": [{"name": "alice-tap", "implementation": "tapd"}],
        },
    },
    "chart": {
        "links": {
            "alice-backend1": {
                "from": {"nodeId": "alice"},
                "to": {"nodeId": "backend1"},
                "properties": {"type": "backend"},
            },
            "f00d": {
                "from": {"nodeId": "alice"},
                "to": {"nodeId": "bob"},
                "properties": {
                    "type": "open-channel",
                    "capacity": "250000",
                    "fromBalance": "100000",
                    "toBalance": "146530",
                    "isPrivate": True,
                },
            },
            "beef": {
                "from": {"nodeId": "bitcoind"},
                "to": {"nodeId": "alice"},
                "properties": {"type": "pending-channel", "capacity": "250000", "toBalance": "0"},
            },
        }
    },
}
WARNET = b"""
nodes:
  - name: tank-0000
    ln: {lnd: false}
  - name: tank-0001
    lnd:
      channels:
        - id: {block: 501, index: 1}
          target: tank-0002-ln
          capacity: 100000
          push_amt: 99000
        - id: {block: 500, index: 2}
          target: tank-0002-ln
          capacity: 200000
          source_policy: {fee_base_msat: 0, fee_proportional_millionths: 7, cltv_expiry_delta: 33}
  - name: tank-0002
"""
DEFAULTS = b"ln: {lnd: true}\nlnd: {config: 'color=#000000'}\n"


def archive(name: str = "export.json") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("volumes/lnd/alice/lnd.log", "no")
        written.writestr(name, json.dumps(EXPORT))
    return file.getvalue()


def fitted(raw: bytes, **wish: object) -> Fitted:
    imported = formats.read("some.file", "some", raw, defaults=DEFAULTS)
    return fit(imported, Wish(**{"most": 50, "taken": {"bitcoind"}, **wish}))  # type: ignore[arg-type]


def test_a_graph_becomes_nodes_and_channels_in_the_order_of_their_ids() -> None:
    network = fitted(json.dumps(GRAPH).encode())

    assert network.nodes == {
        "coffee-shop": ("lnd", "Coffee Shop ☕"),
        "customer": ("lnd", None),
        "n3": ("lnd", None),
    }
    policy = ImportedPolicy(1_000, 50, 40, 1_000, 495_000_000)
    assert network.channels == (
        ImportedChannel("n3", "coffee-shop", 1_000_000, 500_000),
        ImportedChannel(
            "coffee-shop",
            "customer",
            500_000,
            250_000,
            policies={
                "coffee-shop": policy,
                "customer": ImportedPolicy(1_000, 50, 24, 1_000, 495_000_000),
            },
        ),
    )
    assert network.notes == (
        "a graph tells no balances: every channel is opened by its first node, which gives half away",
        "1 channel end did not forward and will here",
        "4 channel ends told no policy and will have its implementation's own",
        "left out: 1 channel to nodes that are not in the file",
        "2 nodes got another name, because names are lower-case letters, digits and hyphens",
        "1 channel told no capacity and will hold 1_000_000 sat",
        "1 channel end had a policy that no node here takes, and will have the nearest one",
    )


@pytest.mark.parametrize("raw", [archive(), archive("My Café/export.json"), json.dumps(EXPORT).encode()])
def test_an_archive_of_polar_keeps_names_balances_and_privacy(raw: bytes) -> None:
    network = fitted(raw)

    assert network.name == "my-caf"
    assert network.nodes == {
        "alice": ("lnd", None),
        "bob": ("lnd", None),
        "bitcoind-2": ("lnd", "bitcoind"),
    }
    assert network.channels == (
        ImportedChannel("alice", "bob", 250_000, 146_530, private=True),
        ImportedChannel("bitcoind-2", "alice", 250_000, 0),
    )
    assert network.notes == (
        "litd becomes lnd, without what litd adds",
        "left out: 1 Taproot Assets node",
        "one bitcoind stands for 2 Bitcoin nodes",
        "1 node ran `cln` and will run `lnd`",
        "1 node got another name, because names are lower-case letters, digits and hyphens",
    )


def test_implementations_that_are_here_may_be_kept() -> None:
    network = fitted(archive(), known=("lnd", "cln"))

    assert network.nodes["bob"] == ("cln", None)


def test_a_network_of_warnet_takes_what_its_defaults_say_and_opens_in_the_order_of_the_ids() -> None:
    network = fitted(WARNET)

    assert list(network.nodes) == ["tank-0001", "tank-0002"]
    assert network.channels == (
        ImportedChannel(
            "tank-0001", "tank-0002", 200_000, 0, policies={"tank-0001": ImportedPolicy(0, 7, 33, None, None)}
        ),
        ImportedChannel("tank-0001", "tank-0002", 100_000, 90_000),
    )
    assert network.notes == (
        "left out: 1 tank without a Lightning node",
        "one bitcoind stands for the bitcoinds of 3 tanks",
        "channels are opened in the order of their ids, but at other heights",
        "1 channel gave away more than an opener can, and will give away as much as one can",
    )


def test_the_nodes_that_are_best_connected_to_each_other_stay() -> None:
    nodes = tuple(ImportedNode(name, name, "lnd") for name in ("far", "a", "b", "c", "pair", "of-pair"))
    ways = [("a", "b"), ("b", "c"), ("c", "a"), ("far", "a"), ("pair", "of-pair"), ("pair", "of-pair")]
    imported = Imported("a test", "t", nodes, tuple(ImportedChannel(*way, 100_000, 0) for way in ways))

    network = fit(imported, Wish(most=3))

    assert list(network.nodes) == ["a", "b", "c"]
    assert len(network.channels) == 3
    assert network.notes == ("kept the 3 nodes that are best connected to each other of 6 (`--nodes 6` keeps all)",)


@pytest.mark.parametrize("raw", [json.dumps(GRAPH).encode(), archive(), WARNET])
def test_what_is_written_is_a_stack_that_can_come_up(raw: bytes) -> None:
    network = fitted(raw)

    data, source, findings = parse("imported.yaml", document.text(network, "imported", ("lightning@1",)))
    stack, wrong = validate(data, source)

    assert (findings, wrong) == ((), ())
    assert isinstance(stack, Stack)
    assert stack.network is not None
    assert problems(stack.network) == ()
    assert len(stack.network.channels) == len(network.channels)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "none of the formats"),
        (b"\x00\x01", "none of the formats"),
        (b"{}", "none of the formats"),
        (b'{"edges": [], "nodes": 7}', "nodes"),
        (b'{"chart": {}}', "network"),
        (b"nodes: 7", "nodes"),
        (b"nodes: [{nmae: tank}]", "name"),
        (b"PK\x03\x04 and nothing more", "archive is broken"),
        (archive("other.json"), "there is no `export.json` in it"),
    ],
)
def test_what_is_none_of_the_formats_is_refused_with_what_is_missing(raw: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why) as refused:
        formats.read("some.file", "some", raw)

    assert refused.value.code == "import-unreadable"


def test_a_file_without_lightning_nodes_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        fitted(b'{"nodes": [], "edges": []}')

    assert refused.value.code == "import-empty"
