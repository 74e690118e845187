"""What decides a build with Go: go.mod and go.sum always, and our own sources where a package is one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cartridge.artifacts.channels.go import sources_digest
from cartridge.model.artifact import GoChannel


@pytest.mark.parametrize(
    ("package", "counts"),
    [(".", True), ("./cmd", True), ("example.org/them/cmd", False)],
    ids=["root", "below", "else"],
)
def test_our_own_sources_decide_a_build_where_it_is_of_them(tmp_path: Path, package: str, counts: bool) -> None:
    (tmp_path / "go.mod").write_text("module example.org/us\n")
    source = tmp_path / "main.go"
    source.write_text("package main\n")
    channel = GoChannel(channel="go", module="us", version="1.0.0", packages={"it": package})
    before = sources_digest(tmp_path, channel)

    source.write_text("package main // changed\n")

    assert (sources_digest(tmp_path, channel) != before) is counts
