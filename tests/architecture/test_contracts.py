"""Each import contract reports the very import it is there for: every one is broken once, on a copy."""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from cartridge import spawn

ROOT = Path(__file__).parents[2]
CONTRACTS = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}

BREACHES = [
    ("layers", "plan/change.py", "import cartridge.render"),
    ("layers", "errors.py", "import cartridge.clock"),
    ("targets", "targets/docker/__init__.py", "import cartridge.targets.process"),
    ("verbs", "operations/results/stacks.py", "import cartridge.operations.access.context"),
    ("nodes", "lightning/nodes/node.py", "import cartridge.lightning.chains.bitcoind"),
    ("surfaces", "surfaces/console.py", "import cartridge.surfaces.cli"),
    ("pure", "workspace/resolved.py", "import cartridge.spawn"),
    ("pure", "model/stack.py", "import urllib3"),
    ("store", "artifacts/installed.py", "import cartridge.plan"),
    ("siblings", "targets/driver.py", "import cartridge.targets.docker.broken"),
    ("pulumi", "operations/results/stacks.py", "import pulumi"),
    ("pulumi", "lightning/__init__.py", "import grpc"),
    ("docker", "deploy/engine.py", "import docker"),
    ("processes", "operations/results/stacks.py", "import psutil"),
    ("terminal", "operations/results/stacks.py", "import rich.table"),
    ("terminal", "probes/wait.py", "def _ask() -> None:\n    import click"),
    ("http", "operations/results/stacks.py", "import urllib3"),
    ("templates", "deploy/engine.py", "import jinja2"),
    ("yaml", "operations/results/stacks.py", "import yaml"),
    ("pytest", "operations/results/stacks.py", "import pytest"),
]


def broken_contracts(tree: Path) -> set[str]:
    """Return the names of the contracts that `lint-imports` calls broken in a copy of the project."""
    linter = Path(sys.executable).with_name("lint-imports")
    told = spawn.run(
        [str(linter), "--no-logo", "--no-cache"],
        cwd=tree,
        environment={"PYTHONPATH": str(tree / "src"), "COLUMNS": "200"},
        timeout=60,
    )
    assert "Contracts: " in told.stdout, told.stdout + told.stderr
    return set(re.findall(r"^(.+) BROKEN$", told.stdout, re.MULTILINE))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the package with its contracts."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_package_keeps_every_contract(copied: Path) -> None:
    assert broken_contracts(copied) == set()


def test_every_contract_is_broken_by_some_breach() -> None:
    assert {contract for contract, _, _ in BREACHES} == set(CONTRACTS)


@pytest.mark.parametrize(("contract", "module", "line"), BREACHES)
def test_a_breach_is_reported_by_the_contract_meant_for_it(copied: Path, contract: str, module: str, line: str) -> None:
    (copied / "src/cartridge/targets/docker/broken.py").write_text("import cartridge.targets.driver\n")
    offender = copied / "src/cartridge" / module
    offender.write_text((offender.read_text() if offender.exists() else "") + f"\n{line}\n")

    assert CONTRACTS[contract] in broken_contracts(copied)


def test_a_new_package_needs_a_place_among_the_layers(copied: Path) -> None:
    (copied / "src/cartridge/helpers.py").write_text('"""Nobody said where this belongs."""\n')

    assert CONTRACTS["layers"] in broken_contracts(copied)
