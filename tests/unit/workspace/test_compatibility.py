"""What implementations can do is enforced whoever asks, and the cartridges that share settings stay alike."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cartridge.errors import DocumentsError
from cartridge.model.network import Channel, Policy
from cartridge.workspace.compatibility import FEATURES, MATRIX, PAIRS
from cartridge.workspace.load import load
from cartridge.workspace.project import Project
from cartridge.workspace.resolve import resolve

ROOT = Path(__file__).parents[3]
CASES = ROOT / "tests" / "cases" / "documents"


def test_the_table_speaks_only_of_features_there_are() -> None:
    """Each word is explained once; those of documents are keys there."""
    spoken = {word for one in MATRIX.values() for word in one.lacks} | {pair.feature for pair in PAIRS}

    assert spoken <= set(FEATURES)
    assert {"zero_conf", "type", "private", "push"} <= set(FEATURES) & set(Channel.model_fields)
    assert set(Policy.model_fields) <= set(FEATURES)


def test_a_target_given_by_flag_is_checked_like_a_written_one() -> None:
    """The documents are right for processes."""
    case = CASES / "right-two-implementations"
    workspace = load(Project(case, case / ".cartridge", case, CASES / "shared"))

    with pytest.raises(DocumentsError) as refused:
        resolve(workspace, target="docker")

    assert [finding.code for finding in refused.value.findings] == ["target-unsupported"]


def test_lnd_has_the_same_settings_on_either_chain() -> None:
    """Only what the chain decides differs."""
    one, other = (
        yaml.safe_load((ROOT / "cartridges" / name / "cartridge.yaml").read_text(encoding="utf-8"))
        for name in ("lightning", "lightning-btcd")
    )

    for key in ("metadata", "requires"):
        del one[key], other[key]
    del one["settings"]["fee_source"], other["settings"]["fee_source"]  # only bitcoind has anything to choose from
    assert (one["components"]["lnd"].pop("depends_on"), other["components"]["lnd"].pop("depends_on")) == (
        ["bitcoind"],
        ["btcd"],
    )
    assert one == other
