"""Checking grows with the size of the documents and no faster. Counts CPU time, not what the machine does beside."""

from __future__ import annotations

import time
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


def seconds(folder: Path, components: int) -> float:
    """Return the CPU seconds it takes to load a cartridge of that many components."""
    path = folder / str(components) / "cartridges/tool/cartridge.yaml"
    path.parent.mkdir(parents=True)
    head = "apiVersion: cartridge/v1\nkind: Cartridge\nmetadata: {name: tool, version: 1.0.0}\n"
    artifacts = "artifacts: {tool: {binaries: [tool], channels: [{channel: path}]}}\ncomponents:\n"
    body = "".join(COMPONENT.format(number, f"x{number - 1}" if number else "") for number in range(components))
    path.write_text(head + artifacts + body, encoding="utf-8")
    root = folder / str(components)
    project = Project(root, root / ".cartridge", root, root)
    load(project)

    began = time.process_time()
    workspace = load(project)
    took = time.process_time() - began
    assert len(workspace.cartridges["tool"]["1.0.0"].document.components) == components
    return took


def test_twenty_times_the_components_take_about_twenty_times_as_long(tmp_path: Path) -> None:
    few, many = seconds(tmp_path, 100), seconds(tmp_path, 2_000)

    assert many / few < 40
