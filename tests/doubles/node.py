"""Lightning nodes in memory, over a `FakeChain`: channels hold balances, payments move them at once.

`FakeLightning` is the world the nodes share: who is connected, which channels there are. A channel is active after
one confirmation, announced after six. Payments take one hop or two, without fees.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

from cartridge.lightning.node import (
    FUNDING_FEE,
    Decoded,
    Edge,
    Info,
    Invoice,
    NodeChannel,
    NotYetError,
    Opening,
    Payment,
    PaymentError,
    Policy,
    WalletCoin,
)
from cartridge.probes.lnd import RefusedError
from tests.doubles.chain import FakeChain, digest

ANNOUNCED = 6
DEFAULT = Policy(base_fee=1_000, fee_rate=1, time_lock_delta=80, min_htlc=1_000, max_htlc=990_000_000)


@dataclass
class Link:
    """A channel between two nodes: what each holds (satoshis), by public key."""

    point: str
    opener: str
    acceptor: str
    capacity: int
    private: bool
    memo: str
    holds: dict[str, int]
    policies: dict[str, Policy]
    sent: dict[str, int]

    @property
    def txid(self) -> str:
        """Return the id of the funding transaction."""
        return self.point.partition(":")[0]

    @property
    def scid(self) -> int:
        """Return a number of its own."""
        return int(self.point[:12], 16)


@dataclass
class FakeLightning:
    """What the nodes share."""

    chain: FakeChain
    links: list[Link] = field(default_factory=list)
    connected: set[frozenset[str]] = field(default_factory=set)
    addresses: dict[str, str] = field(default_factory=dict)
    invoices: dict[str, tuple[str, int]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def node(self, name: str) -> FakeNode:
        """Return a new node that listens at `<name>:9735`."""
        node = FakeNode(name, self)
        self.addresses[f"{name}:9735"] = node.pubkey
        return node


class FakeNode:
    """A node of a `FakeLightning`."""

    def __init__(self, name: str, world: FakeLightning) -> None:
        self._name, self._world = name, world
        self.pubkey = "02" + digest("node", name)
        self.own_addresses: list[str] = []

    @property
    def name(self) -> str:
        """Return its name."""
        return self._name

    def info(self) -> Info:
        """Say that it follows the chain."""
        return Info(self.pubkey, self._name, self._world.chain.tip().height, synced=True)

    def coins(self) -> tuple[WalletCoin, ...]:
        """Return what was paid to its addresses and is not spent."""
        tip = self._world.chain.tip().height
        coins = self._world.chain.unspent(self.own_addresses)
        return tuple(WalletCoin(coin.outpoint, coin.amount, tip - coin.height + 1) for coin in coins)

    def new_address(self) -> str:
        """Return the next address."""
        self.own_addresses.append(f"{self._name}-{len(self.own_addresses)}")
        return self.own_addresses[-1]

    def peers(self) -> frozenset[str]:
        """Return whom it is connected to."""
        return frozenset(
            other for pair in self._world.connected if self.pubkey in pair for other in pair - {self.pubkey}
        )

    def connect(self, pubkey: str, address: str) -> None:
        """Connect at once, if somebody with that key listens there."""
        if self._world.addresses.get(address) != pubkey:
            raise RefusedError(f"`{self._name}` refused: nobody at `{address}`", code="lnd-refused")
        self._world.connected.add(frozenset((self.pubkey, pubkey)))

    def open(self, opening: Opening) -> str:
        """Spend the coin and add a link."""
        with self._world.lock:
            if opening.peer not in self.peers():
                raise NotYetError(f"`{self._name}` refused: peer is not online", code="lnd-not-yet")
            own = {coin.outpoint: coin.amount for coin in self.coins()}
            if own.get(opening.coin, 0) < opening.capacity + FUNDING_FEE:
                raise RefusedError(f"`{self._name}` refused: not enough witness outputs", code="lnd-refused")
            point = f"{self._world.chain.spend(opening.coin)}:0"
            mine = replace(
                DEFAULT,
                base_fee=DEFAULT.base_fee if opening.base_fee is None else opening.base_fee,
                fee_rate=DEFAULT.fee_rate if opening.fee_rate is None else opening.fee_rate,
            )
            self._world.links.append(
                Link(
                    point=point,
                    opener=self.pubkey,
                    acceptor=opening.peer,
                    capacity=opening.capacity,
                    private=opening.private,
                    memo=opening.memo,
                    holds={self.pubkey: opening.capacity - opening.push, opening.peer: opening.push},
                    policies={self.pubkey: mine, opening.peer: DEFAULT},
                    sent={self.pubkey: 0, opening.peer: 0},
                )
            )
            return point

    def channels(self) -> tuple[NodeChannel, ...]:
        """Return its links as it sees them."""
        return tuple(self._seen(link) for link in self._world.links if self.pubkey in link.holds)

    def edges(self) -> tuple[Edge, ...]:
        """Return the announced links, and its own."""
        return tuple(
            Edge(link.point, (link.opener, link.acceptor), (link.policies[link.opener], link.policies[link.acceptor]))
            for link in self._world.links
            if self._knows(link)
        )

    def set_policy(self, point: str, policy: Policy) -> None:
        """Put it on its end."""
        self._link(point).policies[self.pubkey] = policy

    def invoice(self, amount: int, memo: str = "") -> Invoice:
        """Return a request nobody else made."""
        request = f"invoice-{self._name}-{len(self._world.invoices)}"
        self._world.invoices[request] = (self.pubkey, amount)
        return Invoice(request, digest(request))

    def decode(self, request: str) -> Decoded:
        """Return what the request was made with."""
        payee, amount = self._world.invoices[request]
        return Decoded(payee, amount, digest(request))

    def pay(self, request: str, *, fee_limit: int, within: float = 30.0, through: int | None = None) -> Payment:
        """Move what the invoice asks for."""
        asked = self.decode(request)
        way = self._way(asked.payee, asked.amount // 1_000, through)
        payer = self.pubkey
        for link in way:
            receiver = link.acceptor if link.opener == payer else link.opener
            link.holds[payer] -= asked.amount // 1_000
            link.holds[receiver] += asked.amount // 1_000
            link.sent[payer] += asked.amount // 1_000
            payer = receiver
        return Payment(asked.payment_hash, asked.amount, 0, len(way))

    def test_route(self, destination: str, amount: int, *, through: int, within: float = 30.0) -> None:
        """Look for a way and move nothing."""
        self._way(destination, amount // 1_000, through)

    def _way(self, payee: str, satoshis: int, through: int | None) -> list[Link]:
        firsts = [one for one in self._usable(self.pubkey, satoshis) if through in (None, one.scid)]
        for link in firsts:
            if payee in link.holds:
                return [link]
        for link in firsts:
            middle = link.acceptor if link.opener == self.pubkey else link.opener
            for second in self._usable(middle, satoshis):
                if payee in second.holds and second is not link:
                    return [link, second]
        raise PaymentError(f"a payment from `{self._name}` failed: no route", code="payment-failed", reason="NO_ROUTE")

    def _usable(self, payer: str, satoshis: int) -> list[Link]:
        return [
            link
            for link in self._world.links
            if payer in link.holds
            and self._world.chain.confirmations(link.txid)
            and link.holds[payer] - link.capacity // 100 >= satoshis
        ]

    def _link(self, point: str) -> Link:
        for link in self._world.links:
            if link.point == point and self.pubkey in link.holds and self._world.chain.confirmations(link.txid):
                return link
        raise NotYetError(f"`{self._name}` refused: edge not found", code="lnd-not-yet")

    def _knows(self, link: Link) -> bool:
        confirmations = self._world.chain.confirmations(link.txid)
        return bool(confirmations) if self.pubkey in link.holds else confirmations >= ANNOUNCED and not link.private

    def _seen(self, link: Link) -> NodeChannel:
        peer = link.acceptor if link.opener == self.pubkey else link.opener
        confirmed = bool(self._world.chain.confirmations(link.txid))
        return NodeChannel(
            point=link.point,
            peer=peer,
            capacity=link.capacity,
            local=link.holds[self.pubkey],
            remote=link.holds[peer],
            local_reserve=link.capacity // 100,
            remote_reserve=link.capacity // 100,
            initiator=link.opener == self.pubkey,
            private=link.private,
            pending=not confirmed,
            confirmations_missing=0 if confirmed else 1,
            active=confirmed and peer in self.peers(),
            scid=link.scid if confirmed else 0,
            memo=link.memo if link.opener == self.pubkey else "",
            sent=link.sent[self.pubkey],
            received=link.sent[peer],
        )
