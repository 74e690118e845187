"""`cartridge up` of whole networks beside the floor: lines of 2, 5, 10 and 20 lnd nodes, and 10 nodes by chance.

Ours is timed from exec to exit, from nothing (`--fresh`): every node knows every channel with both policies, and a
payment has passed each way over each channel. The floor knows lines only; it leaves after one payment end to end, or,
where lnd finds no route over so many hops, already once every node knows every channel.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks import lightning, peers
from benchmarks.measure import Act, Claim, Report, interleave, wall
from benchmarks.place import Place

ROUNDS = 3
LINES = {2: lightning.PAID, 5: lightning.PAID, 10: lightning.PAID, 20: lightning.KNOWN}
"""Nodes, and how far the floor gets with so many: lnd takes 19 hops for too unlikely to try."""
LIMIT = 1.15
BY_CHANCE = "10 nodes, 30 channels"

_STACK = """\
apiVersion: cartridge/v1
kind: Stack
metadata: {{name: {name}}}
use:
  - cartridge: bitcoin-regtest@1
  - cartridge: {cartridge}
network:
  generate: {{{words}}}
"""


def run(place: Place) -> Report:
    """Measure the process target, warm."""
    shipped = peers.shipped()
    floor = [sys.executable, "-m", "benchmarks.floor", "--bitcoind", str(shipped.path("bitcoind"))]
    floor += ["--lnd", str(shipped.path("lnd")), "--wallets", str(shipped.path("regtest-wallet"))]
    contenders: dict[str, Act] = {}
    for nodes, stage in LINES.items():
        contenders[f"line of {nodes}"] = up(place, f"line-{nodes}", f"shape: line, nodes: {nodes}")
        contenders[f"floor, {nodes}"] = partial(lightning.floor_seconds, [*floor, str(nodes)], stage)
    contenders[BY_CHANCE] = up(place, "by-chance", "shape: random, nodes: 10, channels: 30, seed: 1")
    contenders["line of 2"]()  # once, so that the store and the page cache are warm for everybody
    found = interleave(contenders, ROUNDS)
    claims = [
        Claim(f"line of {nodes} to ready", found[f"line of {nodes}"], LIMIT, found[f"floor, {nodes}"])
        for nodes in LINES
    ]
    claims += [
        Claim("growth from 5 to 20 nodes", found["line of 20"], 20 / 5, found["line of 5"]),
        Claim(f"{BY_CHANCE} by chance, against a line of 10", found[BY_CHANCE], 30 / 9, found["line of 10"]),
    ]
    notes = [
        "each from nothing: `cartridge up --fresh`, then `down`",
        "the floor of 20 is timed to where every node knows every channel: its payment end to end finds no route",
    ]
    return Report("Networks, process target", claims, notes)


def project(place: Place, name: str, words: str, cartridge: str = "lightning@1") -> Path:
    """Return a project with one stack in it, whose network is generated from `words`."""
    folder = place.folder / "networks" / name
    (folder / "stacks").mkdir(parents=True, exist_ok=True)
    text = _STACK.format(name=name, words=words, cartridge=cartridge)
    (folder / "stacks" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def up(place: Place, name: str, words: str) -> Act:
    """Return the act of bringing such a network up, and taking it down again unmeasured."""
    folder = project(place, name, words)

    def act() -> float:
        try:
            return wall([place.program, "up", "--fresh"], cwd=folder)
        finally:
            subprocess.run([place.program, "down", "--yes"], cwd=folder, capture_output=True, check=False)

    return act
