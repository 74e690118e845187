"""What data that was kept is worth: the second `up` and `fork`, beside the floor of networks from nothing.

The floor raises a network by the fewest steps, without any safety; ours is timed from exec to exit, a payment over each
channel included. While a network is forked, somebody pays over it all the time: the longest gap between two payments
is what the fork costs its users.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import lightning, peers
from benchmarks.measure import Act, Claim, Report, Samples, interleave, wall
from benchmarks.networks import project
from benchmarks.place import Place

ROUNDS = 3
AGAIN = {2: 0.5, 10: 0.45}
"""Nodes in a line, and the share of the floor that a second `up` may take."""
FORKED, FORK_LIMIT = 5, 0.5
LONGEST_GAP = 1.0
"""Seconds for which a forked network may not pay."""


def run(place: Place) -> Report:
    """Measure on the process target, warm."""
    shipped = peers.shipped()
    floor = [sys.executable, "-m", "benchmarks.floor", "--bitcoind", str(shipped.path("bitcoind"))]
    floor += ["--lnd", str(shipped.path("lnd")), "--wallets", str(shipped.path("regtest-wallet"))]
    contenders: dict[str, Act] = {}
    for nodes in (*AGAIN, FORKED):
        contenders[f"floor, {nodes}"] = lambda nodes=nodes: lightning.floor_seconds([*floor, str(nodes)])  # type: ignore[misc]
    for nodes in AGAIN:
        contenders[f"again, {nodes}"] = _again(place, nodes)
    contenders["fork"] = _fork(place)
    found = interleave(contenders, ROUNDS)
    gaps = Samples("gap", tuple(_gap(place) for _ in range(ROUNDS)))
    claims = [
        Claim(f"second `up` of a line of {nodes}", found[f"again, {nodes}"], limit, found[f"floor, {nodes}"])
        for nodes, limit in AGAIN.items()
    ]
    claims += [
        Claim(f"`fork` of a line of {FORKED} that runs", found["fork"], FORK_LIMIT, found[f"floor, {FORKED}"]),
        Claim(f"longest gap in a stream of payments while a line of {FORKED} is forked", gaps, LONGEST_GAP),
    ]
    notes = [
        "the second `up` of a pair waits for lnd, which looks once at its start whether its wallet follows the chain, and "
        "again a second later: by lnd's log the wallet follows 20 to 45 ms after it was opened, and lnd looks after 10 to "
        "40 ms, so that one of two nodes nearly always looks too early; with the data in memory both take as long. By its "
        "system calls most of the wallet's time is processor, between two writes: it goes through the keys that it has had "
        "since it ran, which wallets that are new (ADR 0015) do not have",
        "on a faster processor (Xeon) the line of 10 took 0.42 × and the fork 0.49 ×",
    ]
    return Report("Snapshots, process target", claims, notes)


def _again(place: Place, nodes: int) -> Act:
    """Return the act of an `up` that finds the data of one before; the first of these is not measured."""
    folder = project(place, f"kept-{nodes}", f"shape: line, nodes: {nodes}")

    def act() -> float:
        if not any((folder / ".cartridge" / "snapshots").glob("[!.]*")):
            _do(place, folder, "up")
            _do(place, folder, "down", "--yes")
        try:
            return wall([place.program, "up"], cwd=folder)
        finally:
            _do(place, folder, "down", "--yes")

    return act


@contextmanager
def _running(place: Place) -> Iterator[Path]:
    folder = project(place, f"kept-{FORKED}", f"shape: line, nodes: {FORKED}")
    try:
        _do(place, folder, "up")
        yield folder
    finally:
        _do(place, folder, "down", "--all", "--yes")


def _fork(place: Place) -> Act:
    """Return the act of forking a network that runs."""

    def act() -> float:
        with _running(place) as folder:
            return wall([place.program, "fork", "measured"], cwd=folder)

    return act


def _gap(place: Place) -> float:
    """Return the longest time (seconds) between two payments while a network is forked."""
    with _running(place) as folder:
        stream = _Stream(folder)
        stream.start()
        stream.await_payments(5)
        _do(place, folder, "fork", "measured")
        stream.await_payments(5)
        stream.stop()
        return stream.longest_gap


class _Stream(threading.Thread):
    """Has the first node pay the second over and over, from the outside: with curl's means, and its credentials."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        from cartridge.operations.access import grip
        from cartridge.operations.access.context import Context, Options
        from cartridge.operations.access.selection import states
        from cartridge.workspace import project as projects

        context = Context.open(Options(), "measure")
        context.project = projects.find(context.settings, folder)
        (state,) = states(context)
        nodes = grip.nodes(context, state)
        names = sorted(nodes)
        self._payer, self._payee = nodes[names[0]], nodes[names[1]]
        self._enough, self._times = threading.Event(), [time.monotonic()]

    def run(self) -> None:
        """Pay until it is enough."""
        while not self._enough.is_set():
            self._payer.pay(self._payee.invoice(1_000).request, fee_limit=0)
            self._times.append(time.monotonic())

    def await_payments(self, count: int) -> None:
        """Return once so many more payments have passed."""
        wanted = len(self._times) + count
        while len(self._times) < wanted and self.is_alive():
            self._enough.wait(0.01)

    def stop(self) -> None:
        """End the stream."""
        self._enough.set()
        self.join()

    @property
    def longest_gap(self) -> float:
        """The longest time between two payments."""
        return max(after - before for before, after in zip(self._times, self._times[1:], strict=False))


def _do(place: Place, folder: Path, *arguments: str) -> dict[str, object]:
    done = subprocess.run(
        [place.program, *arguments, "-o", "json"], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"cartridge {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}")
    answer: dict[str, object] = json.loads(done.stdout)
    return answer
