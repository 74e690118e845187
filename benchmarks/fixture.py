"""What a test pays for a Lightning network of its own: sessions of real pytest, each test with one payment.

A session of one test is taken from a session of many, so what is left is a test after the first: its fork, its payment,
its end, and its share of what the session does at the end. Also what the plugin costs a run that asks for no network.
"""

from __future__ import annotations

import sys

from benchmarks.measure import Act, Claim, Report, Samples, interleave, wall
from benchmarks.place import Place

ROUNDS = 3
TESTS = 10
"""Tests after the first."""
LIMIT, START_LIMIT = 2.0, 1.1
SOURCE = """
import pytest

@pytest.mark.parametrize("turn", range({tests}))
def test_pay(lightning, turn):
    lightning.alice.pay(lightning.bob, 1000)
"""
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")


def run(place: Place) -> Report:
    """Measure on the process target, warm: the snapshot is there."""
    (place.project / "test_one.py").write_text(SOURCE.format(tests=1), encoding="utf-8")
    (place.project / "test_many.py").write_text(SOURCE.format(tests=1 + TESTS), encoding="utf-8")
    wall([*PYTEST, "test_one.py"], cwd=place.project)
    found = interleave(
        {
            "one": _session(place, "test_one.py"),
            "many": _session(place, "test_many.py"),
            "one at a time": _session(place, "test_many.py", "-o", "cartridge_spares=0"),
            "with": _session(place, "--version"),
            "without": _session(place, "--version", "-p", "no:cartridge"),
        },
        ROUNDS,
    )
    ahead, alone = (_each(found[name], found["one"]) for name in ("many", "one at a time"))
    return Report(
        "pytest, process target",
        [
            Claim("a test with a network of its own and a payment, after the first", ahead, LIMIT),
            Claim("`pytest --version` with the plugin, against without", found["with"], START_LIMIT, found["without"]),
        ],
        [
            f"the session's first test, pytest's own start included: {found['one']} s",
            f"a test where no network is made ahead (`cartridge_spares = 0`): {alone} s",
        ],
    )


def _session(place: Place, *arguments: str) -> Act:
    return lambda: wall([*PYTEST, *arguments], cwd=place.project)


def _each(many: Samples, one: Samples) -> Samples:
    """Return what each test after the first took, round by round."""
    return Samples(
        "a test", tuple((all_ - first) / TESTS for all_, first in zip(many.figures, one.figures, strict=True))
    )
