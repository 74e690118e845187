"""Lightning nodes in memory, over a `FakeChain`: channels hold balances, payments move them at once.

`FakeLightning` is the world the nodes share: who is connected, which channels there are. A channel is active after
one confirmation, announced after six. Payments take one hop or two a part, without fees; what is closed by force
is paid out as soon as what is closed by agreement.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from cartridge.lightning.chains.bitcoind import Output
from cartridge.lightning.nodes.ending import Ending
from cartridge.lightning.nodes.node import (
    FUNDING_FEE,
    Decoded,
    Edge,
    Guest,
    Info,
    Invoice,
    InvoiceState,
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
LOCKED = 144
"""Confirmations after which whoever closed by force may spend what he got."""
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
    zero_conf: bool = False
    type: str = "anchors"

    @property
    def txid(self) -> str:
        """Return the id of the funding transaction."""
        return self.point.partition(":")[0]

    @property
    def scid(self) -> int:
        """Return a number of its own."""
        return int(self.point[:12], 16)

    def spendable(self, payer: str) -> int:
        """Return the satoshis an end can pay."""
        return max(0, self.holds[payer] - self.capacity // 100)

    def other(self, end: str) -> str:
        """Return the other end."""
        return self.acceptor if self.opener == end else self.opener


@dataclass(frozen=True)
class Gone:
    """A link that was closed, by whom, by what, and whether by force."""

    link: Link
    closer: str
    txid: str
    forced: bool


@dataclass
class Asked:
    """An invoice: who made it, over how much, and whether he decides later; `decided` is set once he has."""

    payee: str
    amount: int
    payment_hash: str
    held: bool = False
    state: InvoiceState = InvoiceState.OPEN
    decided: threading.Event = field(default_factory=threading.Event)


@dataclass
class FakeLightning:
    """What the nodes share."""

    chain: FakeChain
    links: list[Link] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)
    connected: set[frozenset[str]] = field(default_factory=set)
    addresses: dict[str, str] = field(default_factory=dict)
    invoices: dict[str, Asked] = field(default_factory=dict)
    nodes: list[FakeNode] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def node(self, name: str) -> FakeNode:
        """Return a new node that listens at `<name>:9735`."""
        node = FakeNode(name, self)
        self.addresses[f"{name}:9735"] = node.pubkey
        self.nodes.append(node)
        return node


class FakeNode:
    """A node of a `FakeLightning`."""

    def __init__(self, name: str, world: FakeLightning) -> None:
        self._name, self._world = name, world
        self.pubkey = "02" + digest("node", name)
        self.own_addresses: list[str] = []
        self.guests: list[Guest] = []

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

    def disconnect(self, pubkey: str) -> None:
        """Part at once."""
        self._world.connected.discard(frozenset((self.pubkey, pubkey)))

    @contextlib.contextmanager
    def welcoming(self, guests: Collection[Guest]) -> Iterator[bool]:
        """Remember them for a while."""
        self.guests += guests
        yield False
        for guest in guests:
            self.guests.remove(guest)

    def open(self, opening: Opening) -> str:
        """Spend the coin and add a link."""
        with self._world.lock:
            if opening.peer not in self.peers():
                raise NotYetError(f"`{self._name}` refused: peer is not online", code="lnd-not-yet")
            self._check_welcome(opening)
            own = {coin.outpoint: coin.amount for coin in self.coins() if opening.coin in {"", coin.outpoint}}
            coin = max(own, key=lambda outpoint: own[outpoint], default="")
            if own.get(coin, 0) < opening.capacity + FUNDING_FEE:
                raise RefusedError(f"`{self._name}` refused: not enough witness outputs", code="lnd-refused")
            point = f"{self._world.chain.spend(coin)}:0"
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
                    zero_conf=opening.zero_conf,
                    type=opening.type or "anchors",
                )
            )
            return point

    def _check_welcome(self, opening: Opening) -> None:
        guest = Guest(self.pubkey, opening.capacity, opening.push, opening.private)
        peer = next(node for node in self._world.nodes if node.pubkey == opening.peer)
        if opening.zero_conf and guest not in peer.guests:
            raise NotYetError(f"`{self._name}` refused: internal error", code="lnd-not-yet")

    def close(self, point: str, *, force: bool = False) -> str:
        """Take the link away and give both ends what they hold."""
        with self._world.lock:
            link = next((one for one in self._world.links if one.point == point and self.pubkey in one.holds), None)
            if link is None:
                raise RefusedError(f"`{self._name}` refused: channel not found", code="lnd-refused")
            if not force and link.other(self.pubkey) not in self.peers():
                raise RefusedError(f"`{self._name}` refused: peer is offline", code="lnd-refused")
            self._world.links.remove(link)
            shares = [
                Output(node.new_address(), link.holds[node.pubkey])
                for node in self._world.nodes
                if link.holds.get(node.pubkey)
            ]
            txid = self._world.chain.broadcast(digest("close", point), shares)
            self._world.gone.append(Gone(link, self.pubkey, txid, force))
            return txid

    def channels(self) -> tuple[NodeChannel, ...]:
        """Return its links as it sees them."""
        return tuple(self._seen(link) for link in self._world.links if self.pubkey in link.holds)

    def endings(self) -> tuple[Ending, ...]:
        """Return its links whose end is in no block, or by force and not deep enough for who closed it."""
        return tuple(
            Ending(
                point=gone.link.point,
                peer=gone.link.other(self.pubkey),
                capacity=gone.link.capacity,
                local=gone.link.holds[self.pubkey],
                remote=gone.link.holds[gone.link.other(self.pubkey)],
                initiator=gone.link.opener == self.pubkey,
                private=gone.link.private,
                forced=gone.forced,
                waits=not self._world.chain.confirmations(gone.txid),
                txid=gone.txid,
                blocks_left=self._blocks_left(gone),
                memo=gone.link.memo if gone.link.opener == self.pubkey else "",
            )
            for gone in self._world.gone
            if self.pubkey in gone.link.holds and self._blocks_left(gone)
        )

    def _blocks_left(self, gone: Gone) -> int:
        wanted = LOCKED if gone.forced and gone.closer == self.pubkey else 1
        return max(0, wanted - self._world.chain.confirmations(gone.txid))

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
        return self._ask(amount, digest("invoice", self._name, len(self._world.invoices)), held=False)

    def hold_invoice(self, amount: int, payment_hash: str, memo: str = "") -> Invoice:
        """Return a request that is decided about later."""
        return self._ask(amount, payment_hash, held=True)

    def invoice_state(self, payment_hash: str) -> InvoiceState:
        """Return the state of its own invoice."""
        return self._own(payment_hash).state

    def settle(self, preimage: str) -> None:
        """Let the payer's money come."""
        asked = self._own(hashlib.sha256(bytes.fromhex(preimage)).hexdigest())
        if asked.state is InvoiceState.OPEN:
            raise NotYetError(f"`{self._name}` refused: invoice still open", code="lnd-not-yet")
        asked.state = InvoiceState.SETTLED
        asked.decided.set()

    def cancel(self, payment_hash: str) -> None:
        """Let the payer's money go back."""
        asked = self._own(payment_hash)
        asked.state = InvoiceState.CANCELED
        asked.decided.set()

    def decode(self, request: str) -> Decoded:
        """Return what the request was made with."""
        asked = self._world.invoices[request]
        return Decoded(asked.payee, asked.amount, asked.payment_hash)

    def steers(self, through: int) -> bool:
        """Take the channel it is told."""
        return True

    def pay(
        self, request: str, *, fee_limit: int, within: float = 30.0, through: int | None = None, parts: int = 1
    ) -> Payment:
        """Move what the invoice asks for, once whoever holds it has decided."""
        asked = self._world.invoices[request]
        if asked.state is not InvoiceState.OPEN:
            raise self._failed("INCORRECT_PAYMENT_DETAILS")
        ways = self._ways(asked.payee, asked.amount // 1_000, through, parts)
        if asked.held:
            asked.state = InvoiceState.ACCEPTED
            if not asked.decided.wait(within):
                raise self._failed("TIMEOUT")
            if self._world.invoices[request].state is InvoiceState.CANCELED:
                raise self._failed("INCORRECT_PAYMENT_DETAILS")
        asked.state = InvoiceState.SETTLED
        return self._move(asked.payment_hash, ways)

    def keysend(self, pubkey: str, amount: int, *, fee_limit: int, within: float = 30.0) -> Payment:
        """Move the amount."""
        return self._move(secrets.token_hex(32), self._ways(pubkey, amount // 1_000, None, 1))

    def test_route(self, destination: str, amount: int, *, through: int, within: float = 30.0) -> None:
        """Look for a way and move nothing."""
        self._ways(destination, amount // 1_000, through, 1)

    def _ask(self, amount: int, payment_hash: str, *, held: bool) -> Invoice:
        request = f"invoice-{self._name}-{len(self._world.invoices)}"
        self._world.invoices[request] = Asked(self.pubkey, amount, payment_hash, held)
        return Invoice(request, payment_hash)

    def _own(self, payment_hash: str) -> Asked:
        for asked in self._world.invoices.values():
            if (asked.payment_hash, asked.payee) == (payment_hash, self.pubkey):
                return asked
        raise RefusedError(f"`{self._name}` refused: unable to locate invoice", code="lnd-refused")

    def _move(self, payment_hash: str, ways: list[tuple[list[Link], int]]) -> Payment:
        for way, satoshis in ways:
            payer = self.pubkey
            for link in way:
                link.holds[payer] -= satoshis
                link.holds[link.other(payer)] += satoshis
                link.sent[payer] += satoshis
                payer = link.other(payer)
        whole = sum(satoshis for _, satoshis in ways) * 1_000
        return Payment(payment_hash, whole, 0, max(len(way) for way, _ in ways), len(ways))

    def _ways(self, payee: str, satoshis: int, through: int | None, parts: int) -> list[tuple[list[Link], int]]:
        """Return the one way that carries all of it, else the widest ones until they do."""
        every = sorted(self._each_way(payee, through), key=lambda found: -found[1])
        for way, most in every:
            if most >= satoshis:
                return [(way, satoshis)]
        ways, left = [], satoshis
        for way, most in every[:parts]:
            ways.append((way, min(most, left)))
            left -= ways[-1][1]
            if left == 0 and parts > 1:
                return ways
        raise self._failed("NO_ROUTE")

    def _each_way(self, payee: str, through: int | None) -> list[tuple[list[Link], int]]:
        found: list[tuple[list[Link], int]] = []
        for first in (one for one in self._usable(self.pubkey) if through in (None, one.scid)):
            middle, most = first.other(self.pubkey), first.spendable(self.pubkey)
            if middle == payee:
                found.append(([first], most))
                continue
            seconds = [one for one in self._usable(middle) if payee in one.holds and one is not first]
            found += [([first, one], min(most, one.spendable(middle))) for one in seconds]
        return found

    def _usable(self, payer: str) -> list[Link]:
        return [link for link in self._world.links if payer in link.holds and self._is_usable(link)]

    def _is_usable(self, link: Link) -> bool:
        return link.zero_conf or bool(self._world.chain.confirmations(link.txid))

    def _failed(self, reason: str) -> PaymentError:
        return PaymentError(
            f"a payment from `{self._name}` failed: {reason.lower()}",
            code="payment-failed",
            reason=reason,
            reached=reason == "INCORRECT_PAYMENT_DETAILS",
        )

    def _link(self, point: str) -> Link:
        for link in self._world.links:
            if link.point == point and self.pubkey in link.holds and self._is_usable(link):
                return link
        raise NotYetError(f"`{self._name}` refused: edge not found", code="lnd-not-yet")

    def _knows(self, link: Link) -> bool:
        confirmations = self._world.chain.confirmations(link.txid)
        return self._is_usable(link) if self.pubkey in link.holds else confirmations >= ANNOUNCED and not link.private

    def _seen(self, link: Link) -> NodeChannel:
        peer = link.other(self.pubkey)
        is_on_chain = bool(self._world.chain.confirmations(link.txid))
        confirmed = is_on_chain or link.zero_conf
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
            zero_conf=link.zero_conf,
            unconfirmed=not is_on_chain and confirmed,
            type=link.type,
        )
