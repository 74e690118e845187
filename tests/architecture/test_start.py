"""What a command does not use, it does not import: the first answer is a matter of milliseconds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cartridge import spawn

HEAVY = {"docker", "google.protobuf", "grpc", "jinja2", "pulumi", "psutil", "pydantic", "rich", "urllib3", "yaml"}


def imported(code: str, cwd: Path) -> set[str]:
    """Return every module that a fresh interpreter has after running `code`."""
    told = spawn.run([sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules, file=sys.stderr)"], cwd=cwd)
    assert told.status == 0, told.stderr
    return set(told.stderr.splitlines()[-1].split())


def test_the_version_costs_nothing(tmp_path: Path) -> None:
    loaded = imported("import sys; sys.argv[1:] = ['--version']\nfrom cartridge.__main__ import main; main()", tmp_path)

    assert not loaded & (HEAVY | {"click", "dataclasses", "json", "cartridge.errors"})


@pytest.mark.parametrize(
    "arguments", [["--help"], ["up", "--help"], ["ps"], ["explain", "stack-locked"], ["completion", "bash"]]
)
def test_looking_around_imports_no_heavy_library(arguments: list[str], tmp_path: Path) -> None:
    loaded = imported(
        f"from cartridge.surfaces.cli.app import run\ntry: run({arguments!r})\nexcept SystemExit: pass", tmp_path
    )

    assert not loaded & HEAVY


@pytest.mark.parametrize("package", ["artifacts", "deploy", "lightning", "operations", "probes", "targets"])
def test_a_package_is_imported_without_what_only_some_of_it_uses(package: str, tmp_path: Path) -> None:
    assert not imported(f"import cartridge.{package}", tmp_path) & HEAVY


def test_a_pytest_run_without_networks_imports_no_more_than_the_plugins_door(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n")
    loaded = imported(
        "import pytest; assert pytest.main(['-q', '-p', 'no:cacheprovider', '-p', 'no:testinfra', 'test_it.py']) == 0",
        tmp_path,
    )

    assert {name for name in loaded if name.startswith("cartridge")} <= {
        "cartridge",
        "cartridge.surfaces",
        "cartridge.surfaces.pytest_plugin",
        "cartridge.surfaces.pytest_plugin.plugin",
    }
