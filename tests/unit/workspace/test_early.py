"""Nodes may have channels that are used unconfirmed where the stack has such channels, or everywhere where bound."""

from __future__ import annotations

from pathlib import Path

import pytest

from cartridge.workspace.load import load
from cartridge.workspace.project import Project
from cartridge.workspace.resolve import resolve

ROOT = Path(__file__).parents[3]
STACK = """\
apiVersion: cartridge/v1
kind: Stack
metadata: {name: shop}
use:
  - cartridge: bitcoin-regtest@1
  - cartridge: lightning@1
network:
  nodes:
    alice: {implementation: lnd}
    bob: {implementation: lnd}
    carol: {implementation: lnd}
  channels:
    - {from: alice, to: bob, capacity: 10_000_000 sat, zero_conf: true}
    - {from: bob, to: carol, capacity: 10_000_000 sat}
"""


@pytest.mark.parametrize(
    ("bindings", "expected"),
    [
        ({}, {"alice": ("always", "network"), "bob": ("always", "network"), "carol": ("written", "default")}),
        ({"zero_conf": "always"}, dict.fromkeys(("alice", "bob", "carol"), ("always", "--set"))),
    ],
)
def test_the_ends_of_such_channels_are_let_have_them(
    tmp_path: Path, bindings: dict[str, str], expected: dict[str, tuple[str, str]]
) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/shop.yaml").write_text(STACK)
    workspace = load(Project(tmp_path, tmp_path / ".cartridge", tmp_path, ROOT))

    stack = resolve(workspace, bindings=bindings)

    settled = {
        one.name: (one.settings["zero_conf"], one.provenance["zero_conf"]) for one in stack.components if one.node
    }
    assert settled == expected
