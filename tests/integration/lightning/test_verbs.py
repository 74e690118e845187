"""The verbs that use a network, typed as people type them, on two real lnd nodes with a keeper."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cartridge import spawn
from cartridge.artifacts.installed import Installed
from tests.conformance.waiting import until

pytestmark = pytest.mark.lightning
ROOT = Path(__file__).parents[3]
STACK = """\
apiVersion: cartridge/v1
kind: Stack
metadata: {name: verbs}
use:
  - cartridge: bitcoin-regtest@1
  - cartridge: chain-keeper@1
  - cartridge: lightning@1
    bindings: {fee_source: keeper}
network:
  nodes:
    alice: {implementation: lnd}
    bob: {implementation: lnd}
  channels:
    - {from: alice, to: bob, capacity: 1_000_000 sat, push: 50%}
"""


MIXED = (
    STACK.replace("metadata: {name: verbs}", "metadata: {name: mixed}")
    .replace("network:", "  - cartridge: lightning-ldk@1\n    bindings: {fee_source: keeper}\nnetwork:")
    .replace("bob: {implementation: lnd}", "bob: {implementation: ldk}")
)


@dataclass(frozen=True)
class Typed:
    """A project in whose folder commands are typed."""

    folder: Path

    def __call__(self, line: str, status: int = 0, within: float = 120) -> Any:
        """Return what a command answers as JSON, within so many seconds."""
        argv = [sys.executable, "-m", "cartridge", *line.split(), "-o", "json", "--progress", "quiet"]
        ended = spawn.run(argv, cwd=self.folder, timeout=within)
        assert ended.status == status, ended.stderr or ended.stdout
        return json.loads(ended.stdout or ended.stderr)

    def inside(self, component: str, line: str) -> str:
        """Return what a program of a component says there."""
        argv = [sys.executable, "-m", "cartridge", "exec", component, "--", *line.split()]
        ended = spawn.run(argv, cwd=self.folder, timeout=60)
        assert ended.status == 0, ended.stderr
        return ended.stdout


@contextmanager
def up(folder: Path, document: str) -> Iterator[Typed]:
    """Give a stack that is up."""
    (folder / "stacks").mkdir()
    (folder / "stacks" / "verbs.yaml").write_text(document)
    shutil.copy(ROOT / "cartridge.lock", folder)
    typed = Typed(folder)
    try:
        typed("up", within=900)  # the keeper may have to be built
        yield typed
    finally:
        typed("down --yes")


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory, programs: Mapping[str, Installed]) -> Iterator[Typed]:
    """A stack of two lnd nodes."""
    del programs  # they are in the store now
    with up(tmp_path_factory.mktemp("verbs"), STACK) as made:
        yield made


def test_payments_of_every_kind_arrive(typed: Typed) -> None:
    paid = [typed(f"pay alice bob 1000 sat {how}") for how in ("", "--keysend", "--hold")]
    back = typed("pay alice bob 1000 sat --hold --cancel")

    assert [(one["amount"], one["kind"], one["state"]) for one in paid] == [
        (1_000_000, "invoice", "settled"),
        (1_000_000, "keysend", "settled"),
        (1_000_000, "hold", "settled"),
    ]
    assert back["state"] == "canceled"


def test_an_invoice_is_paid_by_its_text(typed: Typed) -> None:
    asked = typed("invoice bob 2000 sat --memo coffee")

    paid = typed(f"pay alice {asked['request']}")

    assert (paid["payee"], paid["amount"], paid["payment_hash"]) == ("bob", 2_000_000, asked["payment_hash"])


def test_a_channel_by_hand_carries_its_share_and_goes_again(typed: Typed) -> None:
    opened = typed("channel open alice bob 500_000 sat")["channel"]
    paid = typed("pay alice bob 700_000 sat")
    listed = typed("channel ls")["channels"]

    closed = typed(f"channel close {opened['scid']}")

    assert paid["parts"] > 1
    assert [one["name"] for one in listed] == ["alice-bob-0", ""]
    assert (closed["channel"]["point"], closed["forced"]) == (opened["point"], False)
    going = typed("channel ls")["channels"][1:]
    assert [(one["point"], one["state"], one["blocks_left"]) for one in going] == [
        (opened["point"], "closing", closed["blocks_left"])
    ]
    typed(f"mine {closed['blocks_left']}")
    assert [one["name"] for one in typed("channel ls")["channels"]] == ["alice-bob-0"]


def test_blocks_are_replaced_unless_channels_would_break(typed: Typed) -> None:
    funded = typed("fund alice 100_000 sat")

    kept = typed("reorg 1 --empty")
    typed("mine")
    refused = typed("reorg 100", status=2)

    assert kept["returned"] == kept["waiting"] == [funded["txid"]]
    assert refused["error"]["code"] == "channels-shallow"
    assert refused["error"]["details"] == ["alice-bob-0"]


def test_blocks_come_by_themselves_when_asked_for(typed: Typed) -> None:
    before = typed("block-interval 100ms")["mined"]

    until(lambda: typed("block-interval")["mined"] >= before + 3, "three blocks")

    assert typed("block-interval off")["mining"] == "on-demand"


def test_nodes_believe_what_fees_are_said_to_be(typed: Typed) -> None:
    assert typed("fee 44")["fee_rate"] == 44

    said = typed.inside("alice", "lncli wallet estimatefeerate 6")

    assert int(json.loads(said)["sat_per_vbyte"]) == 44


@pytest.mark.ldk
def test_ldk_pays_what_fees_are_said_to_be(tmp_path: Path, ldk_program: Installed) -> None:
    del ldk_program  # it is in the store now
    with up(tmp_path, MIXED) as typed:
        said = typed("fee 44")
        scid = typed("channel open bob alice 500_000 sat")["channel"]["scid"]
        height, place, _ = scid.split("x")
        block = typed.inside("bitcoind", f"bitcoin-cli getblockhash {height}")
        content = typed.inside("bitcoind", f"bitcoin-cli getblock {block.strip()} 2")

    funding = json.loads(content)["tx"][int(place)]
    assert (said["told"], said["untold"]) == (["alice", "bob"], [])
    assert round(funding["fee"] * 1e8 / funding["vsize"]) == 44
