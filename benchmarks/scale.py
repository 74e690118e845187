"""How many nodes one `up` carries: the time to ready, memory a node, and how both grow. Each size once.

Networks by chance with three channels a node, on the process target, from nothing. Sizes of an implementation whose
cartridge is not there are left out, and so is a size that does not come up in time; it is said.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.measure import Claim, Report, Samples, wall
from benchmarks.networks import project
from benchmarks.place import ROOT, Place

SIZES = {"lnd": (10, 20, 50), "ldk": (10, 50, 200)}
"""Nodes, by implementation."""
CHANNELS = 3
"""For each node."""
PATIENCE = "8m"
"""What a network gets to come up."""
MEMORY = {"lnd": 150.0, "ldk": 40.0}
"""Megabytes a node may take."""
WHY = (
    "more than in a line: each node checks the signatures of each channel's announcement and policies, and hears them from"
    " several peers, so the work is nodes times channels"
)


@dataclass(frozen=True)
class Size:
    """What one network took: seconds to ready, and megabytes a node, on average."""

    nodes: int
    seconds: float
    memory: float


def run(place: Place) -> Report:
    """Measure every size of every implementation that is here."""
    report = Report("Scale, process target, networks by chance with three channels a node")
    for implementation, sizes in SIZES.items():
        cartridge = _cartridge(implementation)
        if cartridge is None:
            report.notes.append(f"{implementation}: no cartridge runs it here")
            continue
        curve = []
        for nodes in sizes:
            try:
                curve.append(_measured(place, implementation, cartridge, nodes))
            except RuntimeError as error:
                last = str(error).strip().splitlines()[-1]
                report.notes.append(f"{implementation}, {nodes} nodes: **not up within {PATIENCE}** ({last})")
        report.claims += _claims(implementation, curve)
        report.notes += [
            f"{implementation}, {size.nodes} nodes, {CHANNELS * size.nodes} channels: {size.seconds:.1f} s to ready"
            f" ({size.seconds / size.nodes:.2f} s a node), {size.memory:.0f} MB a node"
            for size in curve
        ]
    report.notes.append(WHY)
    return report


def _claims(implementation: str, curve: list[Size]) -> list[Claim]:
    def one(figure: float, name: str) -> Samples:
        return Samples(name, (figure,))

    grown = [
        Claim(
            f"{implementation}: from {small.nodes} to {large.nodes} nodes",
            one(large.seconds, f"{large.nodes} nodes"),
            large.nodes / small.nodes,
            one(small.seconds, f"{small.nodes} nodes"),
        )
        for small, large in pairwise(curve)
    ]
    if not curve:
        return grown
    most = curve[-1]
    what = f"{implementation}: memory a node, {most.nodes} nodes"
    return [*grown, Claim(what, one(most.memory, "memory"), MEMORY[implementation], unit="MB")]


def _cartridge(implementation: str) -> str | None:
    """Return a reference to the shipped cartridge that runs an implementation; the plainest name among several."""
    files = sorted((ROOT / "cartridges").glob("*/cartridge.yaml"), key=lambda path: len(path.parent.name))
    for path in files:
        if f"implementation: {implementation}\n" in path.read_text(encoding="utf-8"):
            return f"{path.parent.name}@1"
    return None


def _measured(place: Place, implementation: str, cartridge: str, nodes: int) -> Size:
    channels = CHANNELS * nodes
    words = f"shape: random, nodes: {nodes}, channels: {channels}, seed: 1, implementation: {implementation}"
    folder = project(place, f"{implementation}-{nodes}", words, cartridge)
    try:
        seconds = wall([place.program, "up", "--fresh", "--wait-timeout", PATIENCE], cwd=folder)
        return Size(nodes, seconds, _memory(place, folder, implementation))
    finally:
        subprocess.run([place.program, "down", "--yes"], cwd=folder, capture_output=True, check=False)


def _memory(place: Place, folder: Path, implementation: str) -> float:
    """Return megabytes a node takes: its share of pages counted (PSS), averaged over all."""
    said = subprocess.run([place.program, "ps", "-o", "json"], cwd=folder, capture_output=True, text=True, check=True)
    components = json.loads(said.stdout)["stacks"][0]["components"]
    sizes = [_proportional(one["identity"]) for one in components if one["kind"] == implementation]
    return sum(sizes) / len(sizes)


def _proportional(process: str) -> float:
    rollup = Path("/proc", process, "smaps_rollup").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024
