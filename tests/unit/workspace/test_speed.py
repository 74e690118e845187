"""Checking grows with the size of the documents and no faster. Counts calls, which are the same on every machine."""

from __future__ import annotations

import sys
from pathlib import Path

from cartridge.workspace.load import load
from cartridge.workspace.project import Project

COMPONENT = """  x{0}:
    artifact: tool
    command: ["{{{{ program(component.name, 'tool') }}}}", "--number={0}"]
    ports: {{rpc: {{container: 80}}}}
    depends_on: [{1}]
    ready: {{probe: tcp, port: rpc}}
"""


def calls(folder: Path, components: int) -> int:
    """Return how many functions are called to load a cartridge of that many components."""
    path = folder / str(components) / "cartridges/tool/cartridge.yaml"
    path.parent.mkdir(parents=True)
    head = "apiVersion: cartridge/v1\nkind: Cartridge\nmetadata: {name: tool, version: 1.0.0}\n"
    artifacts = "artifacts: {tool: {binaries: [tool], channels: [{channel: path}]}}\ncomponents:\n"
    body = "".join(COMPONENT.format(number, f"x{number - 1}" if number else "") for number in range(components))
    path.write_text(head + artifacts + body, encoding="utf-8")
    root = folder / str(components)
    project = Project(root, root / ".cartridge", root, root)
    load(project)

    made = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal made
        made += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        workspace = load(project)
    finally:
        sys.setprofile(before)
    assert len(workspace.cartridges["tool"]["1.0.0"].document.components) == components
    return made


def test_twenty_times_the_components_take_about_twenty_times_the_calls(tmp_path: Path) -> None:
    few, many = calls(tmp_path, 100), calls(tmp_path, 2_000)

    assert many / few < 22
