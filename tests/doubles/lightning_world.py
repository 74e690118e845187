"""A whole network in memory, raised by the real choreography, and grips that die after so many calls."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from cartridge.clock import SystemClock
from cartridge.journal.events import StepEnded
from cartridge.journal.recorder import Recorder
from cartridge.lightning.chains.bitcoind import Output
from cartridge.lightning.choreography import Raised, raise_network
from cartridge.lightning.matching import NOTHING, Former
from cartridge.lightning.run import Handles
from cartridge.lightning.topology import funding
from cartridge.model.network import Network
from cartridge.probes.lnd import RefusedError
from cartridge.probes.wait import Patience
from tests.doubles.chain import FakeChain
from tests.doubles.node import FakeLightning, FakeNode


class KilledError(BaseException):
    """The process is gone: nothing catches this."""


class Mortal:
    """Passes calls on to `inner` until `life` has run out; then every call kills."""

    def __init__(self, inner: Any, life: list[int]) -> None:
        self._inner, self._life = inner, life

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value):
            return value

        def call(*args: Any, **named: Any) -> Any:
            self._life[0] -= 1
            if self._life[0] < 0:
                raise KilledError
            return value(*args, **named)

        return call


class Unwilling:
    """Passes calls on to a node, but never agrees to close a channel."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def close(self, point: str, *, force: bool = False) -> str:
        """Close by force or not at all."""
        if not force:
            raise RefusedError("refused: a payment is under way", code="lnd-refused")
        return str(self._inner.close(point, force=True))


class World:
    """A chain and the nodes of a network, with their coins paid."""

    def __init__(self, block: Network) -> None:
        self.block, self.chain = block, FakeChain()
        self.lightning = FakeLightning(self.chain)
        self.nodes: dict[str, FakeNode] = {name: self.lightning.node(name) for name in block.nodes}
        self.chain.premine(1)
        self.chain.pay(
            [
                Output(self.nodes[name].new_address(), amount)
                for name, amounts in funding(block).items()
                for amount in amounts
            ]
        )
        self.steps: list[str] = []

    def raise_network(
        self,
        wrap: Callable[[Any], Any] = lambda it: it,
        block: Network | None = None,
        former: Former = NOTHING,
        within: float = 10.0,
    ) -> Raised:
        """Raise this network, or another block, with every grip wrapped."""
        clock = SystemClock()
        recorder = Recorder(clock, listeners=(self._note,))
        handles = Handles(
            wrap(self.chain),
            {name: wrap(self.nodes[name]) for name in (block or self.block).nodes},
            {name: f"{name}:9735" for name in self.nodes},
        )
        patience = Patience.of(clock, within, threading.Event())
        return raise_network(block or self.block, handles, recorder, patience, former=former)

    def _note(self, entry: Any) -> None:
        if isinstance(entry.event, StepEnded):
            self.steps.append(entry.event.step)

    def facts(self) -> list[tuple[str, str, int, int, bool, int]]:
        """Return each channel: opener, acceptor, capacity, what the acceptor holds, private, opener's fee rate."""
        names = {node.pubkey: name for name, node in self.nodes.items()}
        return sorted(
            (
                names[link.opener],
                names[link.acceptor],
                link.capacity,
                link.holds[link.acceptor],
                link.private,
                link.policies[link.opener].fee_rate,
            )
            for link in self.lightning.links
        )
