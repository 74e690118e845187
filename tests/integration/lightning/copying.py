"""A network of a test that is copied: its project, its balances, and somebody who pays over it all the time."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cartridge.clock import SystemClock
from cartridge.deploy import statefile
from cartridge.journal.recorder import Recorder
from cartridge.lightning.nodes.node import Node, NodeChannel, PaymentError
from cartridge.operations.access import grip
from cartridge.operations.access.context import Context, Options
from cartridge.operations.access.stages import Stages
from cartridge.workspace import project as projects
from cartridge.workspace import settings
from tests.conformance.waiting import until
from tests.scenarios.held import Done, Project

DOCUMENT = """\
apiVersion: cartridge/v1
kind: Stack
metadata: {{name: net}}
target: {target}
use:
  - cartridge: bitcoin-regtest@1
  - cartridge: lightning@1
network:
  nodes:
    alice: {{implementation: lnd}}
    bob: {{implementation: lnd}}
    carol: {{implementation: lnd}}
  channels:
    - {{from: alice, to: bob, capacity: 2_000_000 sat, push: 50%}}
    - {{from: bob, to: carol, capacity: 1_000_000 sat}}
"""


@dataclass
class Stream:
    """Somebody who pays as often as it goes, and notes when.

    Attributes:
        paid: the clock's seconds at each payment that was settled.
        failed: what the others said.
    """

    paid: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def longest_gap(self) -> float:
        """The longest time (seconds) between two payments."""
        return max(after - before for before, after in zip(self.paid, self.paid[1:], strict=False))


COMMITMENT = 3_470
"""Satoshis of a channel in which nothing is on its way that are neither end's: two anchors of 330, and the fee of a
commitment of 1,124 weight units at lnd's 2,500 satoshis per 1,000."""


def _agree(seen: Mapping[str, tuple[NodeChannel, ...]]) -> bool:
    """Tell whether each end of a channel says what the other does, and nothing is on its way between them."""
    ends: dict[str, list[tuple[int, int]]] = {}
    for channels in seen.values():
        for channel in channels:
            ends.setdefault(channel.point, []).append((channel.local, channel.remote))
            if channel.local + channel.remote < channel.capacity - COMMITMENT:
                return False
    return all(len(pair) == 2 and pair[0] == pair[1][::-1] for pair in ends.values())


@dataclass(frozen=True)
class CopiedNetwork:
    """One stack called `net`, driven by the command line, and its forks."""

    project: Project

    def done(self, *arguments: str) -> Done:
        """Run `cartridge`, which must succeed."""
        done = self.project.cartridge(*arguments)
        assert done.returncode == 0, f"cartridge {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done

    def up(self, kept: Path) -> None:
        """Bring it up: from the file of a snapshot, or from nothing, which is kept there for the next one."""
        if kept.exists():
            self.done("snapshot", "import", str(kept))
            self.done("up")
            return
        self.done("up")
        (name,) = (one["id"] for one in self.answer("snapshot", "ls")["snapshots"])
        self.done("snapshot", "export", name, str(kept))

    def answer(self, *arguments: str) -> Mapping[str, Any]:
        """Return what `cartridge … -o json` answers."""
        answer: Mapping[str, Any] = json.loads(self.done(*arguments, "-o", "json").stdout)
        return answer

    def nodes(self, stack: str = "net") -> Mapping[str, Node]:
        """Return the nodes of a stack or fork."""
        context = self._context()
        for folder in statefile.folders(context.project.state):
            state = statefile.read(folder)
            if state is not None and state.name == stack:
                return grip.nodes(context, state)
        raise AssertionError(f"{stack} is not up")

    def balances(self, stack: str = "net") -> dict[str, int]:
        """Return what each node could spend over Lightning, in satoshis, and what it has on the chain.

        Asked until both ends of every channel say the same: the last payment is then written down on both sides.
        """
        nodes = self.nodes(stack)
        seen: dict[str, tuple[NodeChannel, ...]] = {}

        def agreed() -> bool:
            seen.update({name: node.channels() for name, node in nodes.items()})
            return _agree(seen)

        until(agreed, "both ends of every channel to say the same")
        spendable = {name: sum(channel.local for channel in channels) for name, channels in seen.items()}
        on_chain = {f"{name} on chain": sum(coin.amount for coin in node.coins()) for name, node in nodes.items()}
        return {**spendable, **on_chain}

    def inactive(self, *stacks: str) -> list[str]:
        """Return the channels of these stacks that an end cannot use now."""
        return [
            f"{stack}: {name}: {channel.point}"
            for stack in stacks
            for name, node in self.nodes(stack).items()
            for channel in node.channels()
            if not channel.active
        ]

    def snapshots(self) -> list[Path]:
        """Return what is in the folder of snapshots, half-written ones included."""
        return sorted((self.project.folder / ".cartridge" / "snapshots").iterdir())

    @contextmanager
    def paying(self, payer: str = "alice", payee: str = "bob", amount: int = 1_000) -> Iterator[Stream]:
        """Have one node pay another (millisatoshis) over and over while the body runs."""
        nodes, stream, enough, clock = self.nodes(), Stream(), threading.Event(), SystemClock()

        def pay() -> None:
            while not enough.is_set():
                try:
                    nodes[payer].pay(nodes[payee].invoice(amount).request, fee_limit=0)
                except PaymentError as error:
                    stream.failed.append(error.reason)
                    continue
                stream.paid.append(clock.monotonic())

        thread = threading.Thread(target=pay)
        thread.start()
        try:
            yield stream
        finally:
            stream_end = len(stream.paid) + 3
            while len(stream.paid) < stream_end and thread.is_alive():  # it still pays after all that was done
                enough.wait(0.01)
            enough.set()
            thread.join()

    def _context(self) -> Context:
        clock = SystemClock()
        told = settings.read({"HOME": str(self.project.folder), **self.project.environment})
        return Context(
            options=Options(),
            settings=told,
            clock=clock,
            recorder=Recorder(clock),
            cancelled=threading.Event(),
            project=projects.find(told, self.project.folder),
            verb="test",
            stages=Stages(),
        )


@contextmanager
def copied_network(target: str) -> Iterator[CopiedNetwork]:
    """A project with the stack `net`, not up yet; ended and removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="ctg-", dir="/tmp"))
    (folder / "stacks").mkdir()
    (folder / "stacks" / "net.yaml").write_text(DOCUMENT.format(target=target))
    environment = {"XDG_STATE_HOME": str(folder / "home"), "CARTRIDGE_RUNTIME": str(folder / "run"), "CI": "1"}
    project = Project(folder, environment)
    try:
        yield CopiedNetwork(project)
    finally:
        ended = project.cartridge("down", "--all", "--yes")
        shutil.rmtree(folder, ignore_errors=True)
    assert ended.returncode == 0, ended.stderr
