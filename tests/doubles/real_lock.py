"""The project's own lock and what its cartridges ask for, read as the workspace reads them."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from cartridge.artifacts import lock
from cartridge.artifacts.pins import Lock
from cartridge.artifacts.toolchain import TOOLS
from cartridge.model.artifact import Artifact


def real_lock(root: Path) -> Lock:
    """Return `cartridge.lock` of the project at `root`."""
    return lock.read(root / "cartridge.lock")


def real_wanted(root: Path) -> lock.Wanted:
    """Return every artifact the project's cartridges and its engine ask for."""
    declared = dict(TOOLS)
    for path in sorted(root.glob("cartridges/*/cartridge.yaml")):
        for name, body in yaml.safe_load(path.read_text("utf-8")).get("artifacts", {}).items():
            declared[name] = Artifact.model_validate_json(json.dumps(body))
    return lock.Wanted(declared)
