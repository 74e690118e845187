"""`cartridge up` of the pair beside the floor: the fewest steps that bring up bitcoind and two lnd nodes.

The floor has no safety at all and leaves after one payment one way; ours has TLS, macaroons, a guardian, a journal,
and leaves after a payment each way. Ours is timed from exec to exit.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

from benchmarks import peers
from benchmarks.measure import Claim, Report, interleave, wall
from benchmarks.place import ROOT, Place

ROUNDS = 5
NODES = 2
PAID = "first payment end to end"
KNOWN = "every node knows every channel, both policies"
"""What the floor says when it has come so far."""


def run(place: Place) -> Report:
    """Measure the process target, warm."""
    shipped = peers.shipped()
    floor = [sys.executable, "-m", "benchmarks.floor", str(NODES)]
    floor += ["--bitcoind", str(shipped.path("bitcoind")), "--lnd", str(shipped.path("lnd"))]
    with_wallets = [*floor, "--wallets", str(shipped.path("regtest-wallet"))]

    def ours() -> float:
        took = wall([place.program, "up", "--fresh"], cwd=place.project)
        place.cartridge("down", "--yes")
        return took

    ours()  # once, so that the store and the page cache are warm for everybody
    found = interleave(
        {
            "cartridge up": ours,
            "floor": lambda: floor_seconds(with_wallets),
            "floor without wallets": lambda: floor_seconds(floor),
        },
        ROUNDS,
    )
    claims = [
        Claim("`up` to a payment each way", found["cartridge up"], 1.15, found["floor"]),
        Claim("`up` to a payment each way", found["cartridge up"], 0.6, found["floor without wallets"]),
    ]
    return Report("Lightning pair, process target", claims, _notes(place, shipped))


def floor_seconds(argv: list[str], stage: str = PAID) -> float:
    """Return the seconds the floor took to a stage."""
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    match = re.search(rf"^ *(\d+\.\d+) {re.escape(stage)}$", done.stdout, re.MULTILINE)
    if match is None:
        raise RuntimeError(done.stdout + done.stderr)
    return float(match[1])


def _notes(place: Place, shipped: peers.Programs) -> list[str]:
    result = json.loads(place.cartridge("up", "--fresh", "-o", "json").stdout)
    place.cartridge("down", "--yes")
    chain = " → ".join(f"{stage['step']} {stage['seconds']:.2f} s" for stage in result["stages"])
    versions = ", ".join(f"{name} {one.version}" for name, one in shipped.installed.items())
    return [f"where the time goes, one more run: {chain}", f"programs: {versions}"]
