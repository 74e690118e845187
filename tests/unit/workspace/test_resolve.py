"""From a workspace to one resolved stack: versions, settings, nodes, order; and what the flags of a run may ask."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from cartridge.errors import CartridgeError, DocumentsError, InputError
from cartridge.model.target import Target
from cartridge.workspace.documents import Workspace
from cartridge.workspace.load import load
from cartridge.workspace.project import Project
from cartridge.workspace.resolve import resolve

HEAD = "apiVersion: cartridge/v1\nkind: {}\nmetadata: {{{}}}\n"

CHAIN = """
settings:
  cache: {type: integer, description: megabytes, default: 100, minimum: 4}
  delay: {type: duration, description: between polls, default: 10 ms, maximum: 1 m}
  fee: {type: amount, description: at most, default: 1 sat}
  load: {type: number, description: how much, default: 1}
  pruned: {type: boolean, description: whether, default: false}
  mode: {type: enum, description: how, default: quick, values: [quick, careful]}
  label: {type: string, description: a word, default: ''}
profiles:
  fast: {delay: 1 ms, mode: quick}
  slow: {delay: 1 s, mode: careful}
default_profile: fast
artifacts:
  bitcoind: {binaries: [bitcoind], channels: [{channel: path}]}
components:
  bitcoind:
    artifact: bitcoind
    command: ["{{ program(component.name, 'bitcoind') }}"]
    files: [{path: chain.conf, template: chain.j2}]
    ports: {rpc: {container: 18443}}
    ready: {probe: bitcoind}
"""

LIGHTNING = """
requires: [chain@1]
settings:
  label: {type: string, description: a word, default: lnd}
artifacts:
  lnd: {binaries: [lnd], channels: [{channel: path}]}
components:
  lnd:
    per: node
    implementation: lnd
    artifact: lnd
    command: ["{{ program(component.name, 'lnd') }}"]
    ports: {rpc: {container: 10009}}
    depends_on: [bitcoind]
    ready: {probe: lnd}
  explorer:
    artifact: lnd
    command: [explorer]
    depends_on: [lnd, bitcoind]
    ready: {probe: exit}
"""

STACK = """
use:
  - cartridge: lightning@1
    ports: {bob: {rpc: 10010}}
  - cartridge: chain@*
    bindings: {cache: 8, fee: 2 sat}
network:
  nodes:
    bob: {implementation: lnd}
    alice: {implementation: lnd}
"""


def workspace(folder: Path, **documents: str) -> Workspace:
    """Load a project; `chain_1_0_0` is the cartridge chain of version 1.0.0, any other name a stack."""
    for name, body in documents.items():
        cartridge, _, version = name.partition("_")
        path = folder / (f"cartridges/{name}/cartridge.yaml" if version else f"stacks/{name}.yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        head = (
            HEAD.format("Cartridge", f"name: {cartridge}, version: {version.replace('_', '.')}")
            if version
            else HEAD.format("Stack", f"name: {name}")
        )
        path.write_text(head + body, encoding="utf-8")
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates/chain.j2").write_text("cache={{ settings.cache }}\n", encoding="utf-8")
    return load(Project(folder, folder / ".cartridge", folder, folder))


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return workspace(tmp_path, chain_1_0_0=CHAIN, lightning_1_0_0=LIGHTNING, shop=STACK)


def test_a_component_per_node_runs_under_the_name_of_each_node(shop: Workspace) -> None:
    stack = resolve(shop)

    assert [(each.name, each.kind, each.node, each.depends_on) for each in stack.components] == [
        ("bitcoind", "bitcoind", None, ()),
        ("alice", "lnd", "alice", ("bitcoind",)),
        ("bob", "lnd", "bob", ("bitcoind",)),
        ("explorer", "explorer", None, ("bob", "alice", "bitcoind")),
    ]


def test_a_stack_is_resolved_with_everything_it_runs(shop: Workspace) -> None:
    stack = resolve(shop)

    assert (stack.name, stack.target) == ("shop", Target.PROCESS)
    assert sorted(stack.artifacts) == ["bitcoind", "lnd"]
    assert {name: template.text for name, template in stack.templates.items()} == {
        "chain.j2": "cache={{ settings.cache }}\n"
    }
    assert sorted(stack.inputs) == [
        "cartridges/chain_1_0_0/cartridge.yaml",
        "cartridges/lightning_1_0_0/cartridge.yaml",
        "stacks/shop.yaml",
        "templates/chain.j2",
    ]
    assert stack.component("bob").fixed_ports == {"rpc": 10010}
    assert stack.component("alice").fixed_ports == {}
    assert stack.component("alice").cartridge == "lightning@1.0.0"


def test_settings_are_in_base_units_and_remember_who_set_them(shop: Workspace) -> None:
    component = resolve(shop).component("bitcoind")

    assert component.settings == {
        "cache": 8,
        "delay": 1,
        "fee": 2_000,
        "load": 1,
        "pruned": False,
        "mode": "quick",
        "label": "",
    }
    assert component.provenance == {
        "cache": "binding",
        "delay": "profile fast",
        "fee": "binding",
        "load": "default",
        "pruned": "default",
        "mode": "profile fast",
        "label": "default",
    }


def test_flags_win_over_the_stack_and_over_the_profile_they_choose(shop: Workspace) -> None:
    flags = {"profile": "slow", "cache": "16", "load": "0.5", "pruned": "yes", "fee": "3 sat", "chain.label": "x"}

    component = resolve(shop, bindings=flags).component("bitcoind")

    assert component.settings == {
        "cache": 16,
        "delay": 1_000,
        "fee": 3_000,
        "load": 0.5,
        "pruned": True,
        "mode": "careful",
        "label": "x",
    }
    assert component.provenance == {
        "delay": "profile slow",
        "mode": "profile slow",
        **dict.fromkeys(("cache", "load", "pruned", "fee", "label"), "--set"),
    }


@pytest.mark.parametrize(
    ("flags", "codes"),
    [
        ({"cash": "1"}, ["setting-unknown"]),
        ({"chain.cash": "1"}, ["setting-unknown"]),
        ({"lightning.cache": "1"}, ["setting-unknown"]),
        ({"nothing.cache": "1"}, ["cartridge-unknown"]),
        ({"label": "x"}, ["setting-ambiguous"]),
        ({"profile": "quick"}, ["profile-unknown"]),
        ({"cache": "many", "delay": "2 m", "mode": "slow", "pruned": "perhaps", "fee": "1"},
         ["setting-type", "setting-range", "setting-choice", "setting-type", "setting-type"]),
        ({"cache": "1", "": "x", ".": "y"}, ["setting-range", "setting-unknown", "setting-unknown"]),
    ],
)  # fmt: skip
def test_flags_that_fit_nothing_are_all_reported(shop: Workspace, flags: Mapping[str, str], codes: list[str]) -> None:
    with pytest.raises(DocumentsError) as caught:
        resolve(shop, bindings=flags)

    assert [finding.code for finding in caught.value.findings] == codes
    assert all(finding.resolution for finding in caught.value.findings)


def test_an_ambiguous_flag_is_told_how_to_be_said(shop: Workspace) -> None:
    with pytest.raises(DocumentsError) as caught:
        resolve(shop, bindings={"label": "x"})

    assert caught.value.findings[0].resolution == "say which: `--set lightning.label=x`, `--set chain.label=x`"


def test_the_target_of_the_run_wins(shop: Workspace) -> None:
    assert resolve(shop, target="docker").target is Target.DOCKER


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ({"stack": "shp"}, "stack-unknown", "did you mean `shop`? known: shop"),
        ({"target": "dokker"}, "target-unknown", "did you mean `docker`? known: process, docker"),
    ],
)
def test_a_name_that_is_not_there_is_refused(
    shop: Workspace, arguments: Mapping[str, str], code: str, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        resolve(shop, **arguments)  # type: ignore[arg-type]

    assert (caught.value.code, caught.value.resolution) == (code, said)


def test_of_several_stacks_one_must_be_chosen(tmp_path: Path) -> None:
    several = workspace(
        tmp_path, chain_1_0_0=CHAIN, one="use:\n  - cartridge: chain@1\n", two="use:\n  - cartridge: chain@1\n"
    )

    with pytest.raises(CartridgeError) as caught:
        resolve(several)

    assert caught.value.code == "stack-unchosen"
    assert resolve(several, "two").name == "two"


def test_without_any_stack_there_is_nothing_to_resolve(tmp_path: Path) -> None:
    with pytest.raises(CartridgeError) as caught:
        resolve(workspace(tmp_path, chain_1_0_0=CHAIN))

    assert caught.value.code == "stack-absent"


def test_the_highest_version_that_every_range_accepts_is_taken(tmp_path: Path) -> None:
    versions = {f"chain_{version}": CHAIN for version in ("1_0_0", "1_2_0", "1_10_0", "2_0_0")}
    some = workspace(
        tmp_path, **versions, lightning_1_0_0=LIGHTNING, shop=STACK, other=STACK.replace("chain@*", "chain@~1.2")
    )

    assert resolve(some, "shop").component("bitcoind").cartridge == "chain@1.10.0"
    assert resolve(some, "other").component("bitcoind").cartridge == "chain@1.2.0"


def test_a_requirement_of_a_requirement_is_pulled_in(tmp_path: Path) -> None:
    app = "requires: [lightning@^1.0]\n"
    stack = "use:\n  - cartridge: app@1\nnetwork:\n  nodes: {alice: {implementation: lnd}}\n"

    resolved = resolve(workspace(tmp_path, chain_1_0_0=CHAIN, lightning_1_0_0=LIGHTNING, app_1_0_0=app, shop=stack))

    assert [component.name for component in resolved.components] == ["bitcoind", "alice", "explorer"]
