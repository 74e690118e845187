"""The Lightning network of a stack whose data comes from a snapshot: its nodes go on where they stood.

What `operations.network` is for a network from nothing, with the same methods. Opens nothing and mines one block at
most: lnd does not start on a chain whose newest block is two hours old.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from cartridge.deploy.engine import Placement
from cartridge.deploy.snapshots.store import Snapshot
from cartridge.lightning.readdress import FILES, readdress
from cartridge.operations.access import credentials, grip
from cartridge.operations.access.context import Context
from cartridge.operations.startup import live
from cartridge.operations.startup.readiness import Readiness
from cartridge.operations.startup.wanted import Seed
from cartridge.plan.state import State
from cartridge.targets.copying import Content, read
from cartridge.targets.driver import Driver
from cartridge.workspace.resolved import ResolvedStack

_LOOPBACK = "127.0.0.1"
_STALE = 3600.0
"""Seconds; lnd takes a chain whose tip is older than two hours for one that is still being fetched."""


class NetworkAgain:
    """The network of one stack during one run that starts from a snapshot.

    Args:
        context: of this run.
        stack: what is wanted; its network is not None.
        state: of the stack.
        held: the stack's secrets.
        base: what its components' data is.
    """

    def __init__(
        self, context: Context, stack: ResolvedStack, state: State, held: Mapping[str, str], base: Snapshot
    ) -> None:
        assert stack.network is not None
        self._context, self._held, self._base = context, held, base
        self._probe = stack.network.probe != "none"
        self._folder: Path = context.folder(state.stack)
        self._nodes = {one.name: one.kind for one in stack.components if one.node is not None}
        self._backend = next(one for one in stack.components if one.kind in grip.CHAINS)

    def seeds(self, places: Placement) -> Mapping[str, Seed]:
        """Return, by component, what its fresh data folder gets."""
        return {name: partial(self._seed, name, places) for name in self._base.manifest.files}

    def prepare(self, readiness: Readiness, driver: Driver) -> None:
        """Let every node wait until the chain's newest block is young enough."""
        fresh = readiness.after(self._backend.name, partial(self._freshen, driver))
        for name in self._nodes:
            readiness.require(name, fresh)

    def complete(self, driver: Driver, places: Placement) -> None:
        """Connect the nodes and return when every channel is active and a payment has passed over it.

        Raises:
            UnknownVerdictError: `wait-timeout`.
        """
        from cartridge.lightning.resume import Member, resume

        context = self._context
        patience = live.patience(context)
        members = {}
        for name, kind in self._nodes.items():
            node = grip.node_at(kind, name, partial(driver.address, name), self._folder)
            pubkey = credentials.read(self._folder, name, credentials.IDENTITY).decode()
            members[name] = Member(node, pubkey, places.reach(name, "p2p"))
        resume(members, context.recorder, patience, probe=self._probe)

    @property
    def points(self) -> Mapping[str, str]:
        """Return the funding output of each channel, by `channel/` and its name."""
        return {f"channel/{name}": record.point for name, record in self._base.manifest.state.channels.items()}

    def close(self) -> None:
        """Do nothing: nobody waits for anything of this."""

    def _freshen(self, driver: Driver) -> None:
        address = driver.address(self._backend.name, "rpc")
        chain = grip.chain_at(self._backend.kind, address, self._held, self._folder)
        if self._context.clock.now().timestamp() - chain.tip().time > _STALE:
            with self._context.recorder.step("network/tip", "chain: mining a young block"):
                chain.mine(1)

    def _seed(self, component: str, places: Placement) -> Mapping[str, Content]:
        files: dict[str, Content] = {
            path: self._base.file(component, path) for path in self._base.manifest.files[component]
        }
        if component in self._nodes:
            holds_addresses = FILES.get(self._nodes[component], "")
            if holds_addresses in files:
                files[holds_addresses] = readdress(read(files[holds_addresses]), self._moved(places))
            kept = {path: read(files[path]) for path in credentials.KEPT if path in files}
            credentials.write(self._folder, component, kept)
        return files

    def _moved(self, places: Placement) -> Mapping[int, int]:
        """Return the new port of each node by the one it had; nothing where nodes know each other by name."""
        moved = {}
        for name in self._nodes:
            host, _, port = places.reach(name, "p2p").rpartition(":")
            before = self._base.manifest.state.components[name].ports
            if host == _LOOPBACK and "p2p" in before:
                moved[before["p2p"]] = int(port)
        return moved
