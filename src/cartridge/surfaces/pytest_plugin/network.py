"""What a test is given: a Lightning network of its own, its nodes by name, and its chain.

Amounts that are given are whole satoshis, or text with a unit such as `"1000 sat"`; answers have the units that
their names or texts say. Failures are `cartridge.errors.CartridgeError`s. Never ends the network; `session` does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from cartridge.errors import CartridgeError
from cartridge.journal.recorder import Entry
from cartridge.operations.access import grip
from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen, component
from cartridge.operations.connect import connect
from cartridge.operations.fund import fund
from cartridge.operations.mine import mine
from cartridge.surfaces.pytest_plugin.chain import LightningChain
from cartridge.surfaces.pytest_plugin.node import LightningNode
from cartridge.surfaces.pytest_plugin.values import Amount, Connection, millisatoshis, plainly


class Lightning:
    """A Lightning network of a test's own.

    A node is had by its name: `lightning.alice`, or `lightning["alice"]` where the name is no word of Python.

    Args:
        context: of the fork; its options name it too.
        name: of the fork.
        recent: the last entries of its journal, kept up to date.

    Attributes:
        name: of the fork, for `cartridge ps --stack NAME`.
        nodes: every Lightning node, by name.
        chain: the Bitcoin chain under them.
    """

    def __init__(self, context: Context, name: str, recent: deque[Entry]) -> None:
        self.context, self.name, self.recent = context, name, recent
        state = chosen(context)
        self.nodes: Mapping[str, LightningNode] = MappingProxyType(
            {name: LightningNode(context, name, node) for name, node in grip.nodes(context, state).items()}
        )
        self.chain = LightningChain(context, state)

    def __getattr__(self, name: str) -> LightningNode:
        """Return the node called so; AttributeError where there is none."""
        if name.startswith("__") or "nodes" not in self.__dict__:
            raise AttributeError(name)
        try:
            return self[name]
        except CartridgeError as error:
            __tracebackhide__ = True
            raise AttributeError(f"{error.brief}; {error.resolution}") from None

    @plainly
    def __getitem__(self, name: str) -> LightningNode:
        """Return the node called so.

        Raises:
            MissingError: `component-unknown`, with what there is; `not-a-node`.
        """
        if name not in self.nodes:
            grip.node(self.context, chosen(self.context), name)
        return self.nodes[name]

    def __iter__(self) -> Iterator[LightningNode]:
        """Yield every node."""
        return iter(self.nodes.values())

    def __repr__(self) -> str:
        return f"<Lightning {self.name}: {', '.join(self.nodes)}>"

    @property
    def how_to_look(self) -> str:
        """The commands with which a person looks at a network that is kept, and ends it."""
        verbs = ("ps", "logs", "down")
        return ", ".join(f"`cartridge {verb} --stack {self.name}`" for verb in verbs)

    @plainly
    def mine(self, blocks: int = 1) -> int:
        """Mine blocks and return the new height, once every node that runs has seen them."""
        return mine(self.context, blocks=blocks).height

    @plainly
    def fund(self, node: str | LightningNode, amount: Amount) -> str:
        """Send coins to a node's wallet, confirm them, and return the transaction's id once the node has them."""
        return fund(self.context, node=str(getattr(node, "name", node)), amount=millisatoshis(amount)).txid

    @plainly
    def connect(self, name: str) -> Connection:
        """Return what a client needs to reach a node or the chain: its environment, URIs and files.

        Raises:
            MissingError: `component-unknown`.
        """
        found = connect(self.context, component=component(chosen(self.context), name), reveal=True)
        return Connection(found.environment, found.uris, found.files)
