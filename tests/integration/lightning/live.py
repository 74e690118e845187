"""A stack that is up for a whole test, changed by its document and by hand, as a user would."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from cartridge.clock import SystemClock
from cartridge.deploy import statefile
from cartridge.journal.recorder import Recorder
from cartridge.lightning.chains.bitcoind import Chain
from cartridge.lightning.nodes.node import Node
from cartridge.operations.access import grip
from cartridge.operations.access.context import Context, Options
from cartridge.operations.access.stages import Stages
from cartridge.plan.state import State
from cartridge.workspace import project as projects
from cartridge.workspace import settings
from tests.scenarios.held import Done, Project

HEAD = """\
apiVersion: cartridge/v1
kind: Stack
metadata: {name: net}
target: process
use:
  - cartridge: bitcoin-regtest@1
  - cartridge: lightning@1
    bindings: {profile: fast}
network:
"""


@dataclass(frozen=True)
class LiveNetwork:
    """One stack called `net` in a folder of its own, driven by the command line.

    Attributes:
        project: its folder, and what keeps it apart.
        target: where it runs.
    """

    project: Project
    target: str

    def write(
        self,
        *channels: str,
        nodes: tuple[str, ...] = ("alice", "bob", "carol"),
        balances: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Write the document: channels are lines of YAML; who has no balance here has what a node has by itself."""
        held = {name: f", balance: {balances[name]}" if name in balances else "" for name in nodes}
        lines = ["  nodes:", *(f"    {name}: {{implementation: lnd{held[name]}}}" for name in nodes), "  channels:"]
        lines += [f"    - {{{channel}}}" for channel in channels] if channels else ["    []"]
        (self.project.folder / "stacks" / "net.yaml").write_text(HEAD + "\n".join(lines) + "\n")

    def up(self, *flags: str) -> Done:
        """Run `cartridge up`, which must succeed."""
        return self._done("up", "--fresh", "--wait-timeout", "100 s", *flags)

    def plan(self, *flags: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return what `cartridge plan` says: changes, and drift, as `kind: reason` by resource, `keep` left out."""
        answer = json.loads(self._done("plan", "-o", "json", *flags).stdout)
        return _said(answer["changes"]), _said(answer["drift"])

    def state(self) -> State:
        """Return the state of the stack."""
        (folder,) = statefile.folders(self.context().project.state)
        found = statefile.read(folder)
        assert found is not None
        return found

    def nodes(self) -> dict[str, Node]:
        """Return the nodes of the stack."""
        return grip.nodes(self.context(), self.state())

    def chain(self) -> Chain:
        """Return the chain of the stack."""
        return grip.chain(self.context(), self.state())

    def channels(self) -> dict[str, tuple[int, int, bool]]:
        """Return capacity, the other end's share and privacy of every active channel, by its opener's memo."""
        return {
            one.memo: (one.capacity, one.remote, one.private)
            for node in self.nodes().values()
            for one in node.channels()
            if one.initiator and one.active
        }

    def wallets(self) -> dict[str, int]:
        """Return the satoshis in the wallet of each node, coins of channels not counted."""
        return {name: sum(coin.amount for coin in node.coins()) for name, node in self.nodes().items()}

    def _done(self, *arguments: str) -> Done:
        done = self.project.cartridge(*arguments, "--target", self.target)
        assert done.returncode == 0, f"{done.stderr}\n{self._said()}"
        return done

    def _said(self) -> str:
        """Return how the components are and what they said last."""
        return self.project.cartridge("ps").stdout + self.project.cartridge("logs", "--tail", "40").stdout

    def context(self) -> Context:
        """Return what operations on the stack are given."""
        values = settings.read({"HOME": str(Path.home()), **self.project.environment})
        clock = SystemClock()
        return Context(
            Options(),
            values,
            clock,
            Recorder(clock),
            threading.Event(),
            projects.find(values, self.project.folder),
            "test",
            Stages(),
        )


@contextmanager
def live_network(target: str) -> Iterator[LiveNetwork]:
    """Give a stack that is not up yet; nothing of it is left afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="ctg-", dir="/tmp"))
    (folder / "stacks").mkdir()
    environment = {"XDG_STATE_HOME": str(folder / "home"), "CARTRIDGE_RUNTIME": str(folder / "run"), "CI": "1"}
    project = Project(folder, environment)
    try:
        yield LiveNetwork(project, target)
    finally:
        ended = project.cartridge("down", "--all", "--yes")
        shutil.rmtree(folder, ignore_errors=True)
        assert ended.returncode == 0, ended.stderr


def _said(changes: list[Mapping[str, str]]) -> dict[str, str]:
    return {one["resource"]: f"{one['kind']}: {one['reason']}" for one in changes if one["kind"] != "keep"}
