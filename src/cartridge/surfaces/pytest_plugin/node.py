"""A Lightning node as a test uses it: pays and is paid, is looked at, stopped, killed and started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartridge.errors import InputError
from cartridge.lightning.nodes.node import Info, Invoice, Node, NodeChannel
from cartridge.operations import lifecycle
from cartridge.operations.access.context import Context
from cartridge.operations.pay import Manner, pay
from cartridge.surfaces.pytest_plugin.running import Running
from cartridge.surfaces.pytest_plugin.settling import Payee
from cartridge.surfaces.pytest_plugin.values import Amount, Balance, Payment, millisatoshis, plainly

if TYPE_CHECKING:
    from testinfra.host import Host


class LightningNode(Running):
    """A node of a test's network.

    Args:
        context: of the fork.
        name: the node's.
        node: its adapter.

    Attributes:
        name: in the network.
        node: its adapter (`cartridge.lightning.nodes.node.Node`), for what has no method here.
    """

    def __init__(self, context: Context, name: str, node: Node) -> None:
        super().__init__(context, name)
        self.node = node

    @property
    def pubkey(self) -> str:
        """Its public key, in hex."""
        return self.info().pubkey

    @plainly
    def info(self) -> Info:
        """Return what it says of itself: public key, alias, height, and whether it follows the chain."""
        return self.node.info()

    @plainly
    def channels(self) -> tuple[NodeChannel, ...]:
        """Return its channels as it sees them, pending ones included, with amounts in satoshis."""
        return self.node.channels()

    @plainly
    def balance(self) -> Balance:
        """Return what it has on the chain, confirmed, and in channels that are open."""
        channels = [one for one in self.node.channels() if not one.pending]
        onchain = sum(coin.amount for coin in self.node.coins() if coin.confirmations)
        return Balance(onchain, sum(one.local for one in channels), sum(one.remote for one in channels))

    @plainly
    def address(self) -> str:
        """Return a fresh address of its wallet."""
        return self.node.new_address()

    @plainly
    def invoice(self, amount: Amount, memo: str = "") -> Invoice:
        """Return an invoice: its text is `request`, and it has a `payment_hash`.

        Raises:
            InputError: `amount-wrong`.
        """
        asked = millisatoshis(amount)
        if asked <= 0:
            raise InputError("nothing cannot be asked for", code="amount-wrong", resolution="give 1 sat or more")
        return self.node.invoice(asked, memo)

    @plainly
    def pay(self, to: LightningNode | Invoice | str, amount: Amount | None = None) -> Payment:
        """Pay another node, or an invoice, and return when the payee has it to spend.

        Args:
            to: a node of the network, an invoice, or the text of one.
            amount: for a node; an invoice names its own.

        Raises:
            PaymentError: `payment-failed`, with the node's reason.
            InputError: `amount-wrong`, `payment-to-self`, `payment-manner`.
        """
        payee = to.name if isinstance(to, LightningNode) else to.request if isinstance(to, Invoice) else to
        return self._pay(payee, amount, Manner())

    @plainly
    def keysend(self, to: LightningNode, amount: Amount) -> Payment:
        """Pay a node that made no invoice; raises what `pay` raises, and ApplyError `not-supported`."""
        return self._pay(to.name, amount, Manner(keysend=True))

    @plainly
    def stop(self) -> None:
        """End its daemon in order, and return when it has ended."""
        lifecycle.stop(self.context, component=self.name)

    @plainly
    def kill(self) -> None:
        """End its daemon as a crash would, and return when it has ended."""
        lifecycle.kill(self.context, component=self.name)

    @plainly
    def start(self) -> None:
        """Start it again on its data, and return when its channels with nodes that run are active."""
        lifecycle.start(self.context, component=self.name)

    @property
    @plainly
    def host(self) -> Host:
        """Where its daemon runs, for checks with testinfra: this machine; `identity` says which process or container.

        Raises:
            MissingError: `extra-missing`, testinfra is not installed.
        """
        from cartridge.surfaces.pytest_plugin.hosts import this_machine

        return this_machine()

    def _pay(self, payee: str, amount: Amount | None, manner: Manner) -> Payment:
        asked = None if amount is None else millisatoshis(amount)
        receiver = Payee(self.context, self.node, payee)
        paid = pay(self.context, payer=self.name, payee=payee, amount=asked, manner=manner)
        receiver.await_payment(paid.amount)
        return Payment(paid.payment_hash, paid.amount, paid.fee, paid.hops, paid.parts)
