"""Files of other tools come up as networks, and what is exported of them is what those tools read."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cartridge import spawn
from tests.unit.lightning.test_foreign import DEFAULTS, EXPORT, GRAPH, WARNET

CARTRIDGE = str(Path(sys.executable).with_name("cartridge"))

pytestmark = [pytest.mark.lightning, pytest.mark.slow]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project with a file of each tool; nothing is left running in it."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "graph.json").write_text(json.dumps(GRAPH), encoding="utf-8")
    (tmp_path / "export.json").write_text(json.dumps(EXPORT), encoding="utf-8")
    (tmp_path / "network.yaml").write_bytes(WARNET)
    (tmp_path / "node-defaults.yaml").write_bytes(DEFAULTS)
    yield tmp_path
    spawn.run([CARTRIDGE, "down", "--all", "--yes"], cwd=tmp_path, timeout=120)


def said(project: Path, *words: str) -> str:
    """Return what a command answered; it must have gone well."""
    done = spawn.run([CARTRIDGE, *words], cwd=project, timeout=240)
    assert done.status == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize(
    ("file", "nodes", "channels"), [("graph.json", 3, 2), ("export.json", 3, 2), ("network.yaml", 2, 2)]
)
def test_an_imported_network_comes_up_with_its_channels_in_their_order(
    project: Path, file: str, nodes: int, channels: int
) -> None:
    written = json.loads(said(project, "network", "import", file, "--name", "theirs", "-o", "json"))

    said(project, "up", "--fresh", "--stack", "theirs")

    drawn = json.loads(said(project, "network", "graph", "-o", "json"))
    graph = json.loads(said(project, "network", "export"))
    ids = sorted(int(edge["channel_id"]) for edge in graph["edges"])
    assert (written["nodes"], len(drawn["nodes"]), drawn["live"]) == (nodes, nodes, True)
    assert (written["channels"], len(drawn["channels"])) == (channels, channels)
    # funded in one block, one after another, the first behind the block's own transaction
    assert [(number >> 16 & 0xFFFFFF, number & 0xFFFF) for number in ids] == [
        (place + 1, 0) for place in range(len(ids))
    ]


def test_an_exported_simulation_file_says_who_each_node_is_and_where_its_secrets_are(project: Path) -> None:
    said(project, "network", "import", "export.json", "--name", "theirs")
    said(project, "up", "--fresh", "--stack", "theirs")

    said(project, "network", "export", "--format", "sim-ln", "--to", "sim.json")

    simulation = json.loads((project / "sim.json").read_text(encoding="utf-8"))
    keys = {node["pub_key"] for node in json.loads(said(project, "network", "export"))["nodes"]}
    assert set(simulation) == {"nodes"}
    assert {node["id"] for node in simulation["nodes"]} == keys
    for node in simulation["nodes"]:
        assert set(node) == {"id", "address", "macaroon", "cert"}
        assert node["address"].startswith("https://127.0.0.1:")
        assert Path(node["cert"]).read_text(encoding="ascii").startswith("-----BEGIN CERTIFICATE-----")
        assert Path(node["macaroon"]).stat().st_mode & 0o077 == 0


def test_sim_ln_pays_over_what_is_exported(project: Path) -> None:
    simulator = shutil.which("sim-cli")
    if simulator is None:
        pytest.skip("`sim-cli` is not on PATH, and the project has no channel that brings it")
    said(project, "network", "import", "export.json", "--name", "theirs")
    said(project, "up", "--fresh", "--stack", "theirs")
    said(project, "network", "export", "--format", "sim-ln", "--to", "sim.json")

    words = "--data-dir . --sim-file sim.json --total-time 10 --expected-pmt-amt 50000 --capacity-multiplier 2000"
    done = spawn.run([simulator, *words.split()], cwd=project, timeout=120)

    assert done.status == 0, done.stderr
    (results,) = (project / "results").glob("*.csv")
    outcomes = {row["payment_outcome"] for row in csv.DictReader(results.read_text(encoding="utf-8").splitlines())}
    assert outcomes == {"Success"}
