"""The Lightning network of a stack during `up`: paid before its nodes start, opened after they are ready.

Joins the engine's components with `lightning`'s genesis and choreography; decides nothing of either.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from cartridge.artifacts.installed import Installed
from cartridge.deploy.engine import Placement
from cartridge.errors import ApplyError, InterruptError
from cartridge.lightning.chains.bitcoind import Chain
from cartridge.lightning.genesis import Genesis
from cartridge.lightning.identities import seed_files
from cartridge.model.network import Network
from cartridge.operations.access import credentials, grip
from cartridge.operations.access.context import Context
from cartridge.operations.startup import live
from cartridge.operations.startup.readiness import Readiness
from cartridge.operations.startup.wanted import Seed
from cartridge.plan.state import State
from cartridge.probes import btcd
from cartridge.targets.driver import Driver
from cartridge.workspace.resolved import ResolvedStack

WALLETS: Mapping[str, tuple[str, str]] = {"ldk": ("ldk", "ldk-regtest"), "lnd": ("regtest-wallet", "regtest-wallet")}
"""By implementation, the artifact that makes its wallets, and its program."""


class NetworkUp:
    """The network of one stack during one `up`.

    Args:
        context: of this run.
        stack: what is wanted; its network is not None.
        state: what the last `up` left.
        held: the stack's secrets.
        installed: programs by artifact.
    """

    def __init__(
        self,
        context: Context,
        stack: ResolvedStack,
        state: State,
        held: Mapping[str, str],
        installed: Mapping[str, Installed],
    ) -> None:
        assert stack.network is not None
        self._context, self._stack, self._held = context, stack, held
        self._network: Network = stack.network
        self._folder: Path = context.folder(state.stack)
        self._nodes = {one.name: one.kind for one in stack.components if one.node is not None}
        self._backend = next(one for one in stack.components if one.kind in grip.CHAINS)
        kinds = {name: record.kind for name, record in state.components.items()}
        fresh = [one.name for one in stack.components if one.node is not None and kinds.get(one.name) != one.kind]
        programs = {
            kind: installed[artifact].binaries[program]
            for kind, (artifact, program) in WALLETS.items()
            if artifact in installed
        }
        self._genesis = Genesis(programs, stack.name, self._network, fresh=fresh, recorder=context.recorder)
        self._fresh = frozenset(fresh)
        self._former = live.former(context, stack, state)
        self._undone = state.undone
        self.points: Mapping[str, str] = {}

    def seeds(self, _: Placement | None = None) -> Mapping[str, Seed]:
        """Return, by node, what its fresh data folder gets; each blocks until the chain is prepared."""
        return {name: partial(self._seed, name) for name in self._nodes}

    def prepare(self, readiness: Readiness, driver: Driver) -> None:
        """Let every node wait until the chain is mined and its wallet paid."""
        paid = readiness.after(self._backend.name, partial(self._pay, driver))
        paid.add_done_callback(self._heard)
        for name in self._nodes:
            readiness.require(name, paid)

    def complete(self, driver: Driver, places: Placement) -> None:
        """Connect, open, confirm, and return when the network is as written and probe payments passed.

        Raises:
            ApplyError: a node refused.
            UnknownVerdictError: `wait-timeout`.
        """
        from cartridge.lightning.choreography import raise_network
        from cartridge.lightning.late import pay_late
        from cartridge.lightning.run import Handles

        context = self._context
        patience = live.patience(context, self._network)
        nodes = {
            name: grip.node_at(kind, name, partial(driver.address, name), self._folder)
            for name, kind in self._nodes.items()
        }
        addresses = {name: places.reach(name, "p2p") for name in self._nodes}
        handles = Handles(self._chain(driver), nodes, addresses)
        self._lengthen(handles.chain)
        pay_late(self._network, handles, context.recorder, patience)
        raised = raise_network(self._network, handles, context.recorder, patience, former=self._former)
        self.points = raised.points

    def _lengthen(self, chain: Chain) -> None:
        """Mine what a `reorg` that was killed half-way left undone: nodes leave blocks only for a longer chain."""
        if not self._undone or (missing := self._undone + 1 - chain.tip().height) <= 0:
            return
        with self._context.recorder.step("network/reorg", f"mining {missing} blocks that a killed `reorg` left out"):
            chain.mine(missing)

    def close(self) -> None:
        """Let whoever waits for a wallet go, if it was never paid."""
        self._genesis.give_up(InterruptError())

    def _heard(self, paid: Future[None]) -> None:
        """Let whoever waits for a wallet go where the chain never came: its start would wait for him for ever."""
        if (error := paid.exception()) is not None:
            self._genesis.give_up(error)

    def _chain(self, driver: Driver) -> Chain:
        address = driver.address(self._backend.name, "rpc")
        return grip.chain_at(self._backend.kind, address, self._held, self._folder)

    def _pay(self, driver: Driver) -> None:
        self._make_wallets(driver)
        self._genesis.pay(self._chain(driver))

    def _make_wallets(self, driver: Driver) -> None:
        """Make the wallets of eclair nodes, which bitcoind keeps, before these start."""
        nodes = [name for name, kind in self._nodes.items() if kind == grip.ECLAIR]
        if nodes:
            from cartridge.lightning.nodes.eclair_calls import make_wallets

            make_wallets(grip.rpc(driver.address(self._backend.name, "rpc"), self._held), nodes)

    def _seed(self, node: str) -> Mapping[str, bytes]:
        if node not in self._fresh:
            raise ApplyError(
                f"the data of `{node}` is gone, and its channels with it",
                code="node-data-lost",
                resolution="`cartridge down`, then `cartridge up` makes the network anew",
            )
        files = self._genesis.files(node)
        credentials.write(self._folder, node, files)
        own = seed_files(self._nodes[node], self._stack.name, node)
        return {**files, **own, **self._backend_files()}

    def _backend_files(self) -> Mapping[str, bytes]:
        """Return what a node needs to trust the chain's daemon: btcd speaks TLS with a certificate of its own."""
        if self._backend.kind != grip.BTCD:
            return {}
        return {"btcd.cert": credentials.read(self._folder, grip.BTCD, btcd.CERTIFICATE)}
