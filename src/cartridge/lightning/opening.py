"""Opens what is missing: peers, a coin for each channel, all fundings at once, blocks for all of them.

Never opens what exists, and never closes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import partial

from cartridge.errors import UnknownVerdictError
from cartridge.lightning import topology
from cartridge.lightning.chain import Output
from cartridge.lightning.node import NotYetError, Opening
from cartridge.lightning.planning import NetworkPlan
from cartridge.lightning.run import Run
from cartridge.lightning.topology import ChannelKey, Seen
from cartridge.model.network import Channel
from cartridge.probes.wait import Patience, until

ANNOUNCE = 6
"""Confirmations after which lnd announces a channel to the network."""
SECOND_LOOK = 2.0
"""Seconds a confirmed channel gets to become active before another block is tried."""


def connect(run: Run, plan: NetworkPlan) -> None:
    """Connect both ends of every channel that needs it, and parts no channel joins, so that all hear of all."""
    with run.recorder.step("network/connect", "peers: connecting"):
        pairs = {(key.opener, key.acceptor) for key in (*(key for key, _ in plan.open), *plan.confirm)}
        connect_pairs(run, pairs | topology.links(run.network))


def connect_pairs(run: Run, pairs: Collection[tuple[str, str]]) -> None:
    """Connect pairs of nodes, by name, all at the same time; no error where they are connected."""
    reachable = run.handles.addresses
    ways = {pair if pair[1] in reachable else pair[::-1] for pair in pairs}
    run.everywhere(lambda pair: _connect(run, pair), sorted(way for way in ways if way[1] in reachable))


def _connect(run: Run, pair: tuple[str, str]) -> None:
    node, pubkey = run.handles.nodes[pair[0]], run.pubkeys[pair[1]]

    def connected() -> bool:
        node.connect(pubkey, run.handles.addresses[pair[1]])
        return True

    until(connected, f"`{pair[0]}` to connect to `{pair[1]}`", run.patience, expected=(NotYetError,))


def fund(run: Run, plan: NetworkPlan, seen: Mapping[str, Seen]) -> dict[ChannelKey, str]:
    """Find a coin of its own for each channel to open; what new nodes were not given is paid now."""
    with run.recorder.step("network/coins", "channels: finding coins") as step:
        coins, missing = _assign(plan, seen)
        if not missing:
            step.skip("every coin is there")
            return coins
        addresses = run.everywhere(lambda key: run.handles.nodes[key.opener].new_address(), missing)
        run.producer.pay(
            [
                Output(address, topology.channel_coin(run.wanted[key]))
                for key, address in zip(missing, addresses, strict=True)
            ]
        )
        return until(lambda: _reassign(run, plan), "the wallets to see their coins", run.patience)


def _reassign(run: Run, plan: NetworkPlan) -> dict[ChannelKey, str] | None:
    openers = sorted({key.opener for key, _ in plan.open})
    wallets = run.everywhere(lambda name: run.handles.nodes[name].coins(), openers)
    seen = {name: Seen(run.pubkeys[name], coins=coins) for name, coins in zip(openers, wallets, strict=True)}
    coins, missing = _assign(plan, seen)
    return None if missing else coins


def open_channels(run: Run, plan: NetworkPlan, coins: Mapping[ChannelKey, str]) -> None:
    """Open what is missing, all at the same time, and wait until every funding is in the mempool."""
    if not plan.open:
        return
    with run.recorder.step("network/open", f"channels: opening {len(plan.open)}"):
        for some in _rounds(run, plan):
            alone = any(not run.handles.nodes[key.opener].opens_together for key, _ in some)
            if alone and (waiting := _fundings(run, run.points)):
                run.producer.confirm(waiting)
            opened = run.everywhere(lambda item: _open(run, *item, coins[item[0]]), some)
            run.points |= {key: point for (key, _), point in zip(some, opened, strict=True)}
            txids = {point.partition(":")[0] for point in opened}
            until(partial(_have_come, run, txids), "the fundings to be in the mempool", run.patience)


def _have_come(run: Run, txids: set[str]) -> bool:
    return txids <= run.handles.chain.mempool()


def _rounds(run: Run, plan: NetworkPlan) -> list[list[tuple[ChannelKey, Channel]]]:
    """Return what to open at once, between two blocks: one channel of each node that cannot open several together."""
    rounds: list[list[tuple[ChannelKey, Channel]]] = [[]]
    turns: Counter[str] = Counter()
    for key, channel in plan.open:
        turn = turns[key.opener]
        if not run.handles.nodes[key.opener].opens_together:
            turns[key.opener] += 1
        rounds += [[] for _ in range(turn + 1 - len(rounds))]
        rounds[turn].append((key, channel))
    return rounds


def _open(run: Run, key: ChannelKey, channel: Channel, coin: str) -> str:
    own = channel.policies.get(key.opener)
    opening = Opening(
        peer=run.pubkeys[key.acceptor],
        capacity=key.capacity,
        push=topology.pushed(channel),
        coin=coin,
        memo=key.name,
        private=channel.private,
        base_fee=own.base_fee if own else None,
        fee_rate=own.fee_rate if own else None,
    )
    node = run.handles.nodes[key.opener]
    return until(lambda: node.open(opening), f"`{key}` to open", run.patience, expected=(NotYetError,))


def confirm(run: Run, plan: NetworkPlan) -> None:
    """Mine until every channel is active at both ends, then until the network may hear of it."""
    wanted = {*(key for key, _ in plan.open), *plan.confirm}
    if not wanted:
        return
    with run.recorder.step("network/confirm", "channels: confirming") as step:
        fundings = _fundings(run, wanted)
        mined = 0
        while missing := max((one.confirmations_missing for one in run.ends(wanted)), default=0):
            if fundings and not mined:
                run.producer.confirm(fundings)
            else:
                run.producer.mine(1)  # one by one: three at once right after opening have left a graph incomplete
            mined += 1
            if missing == 1 and _active(run, wanted, SECOND_LOOK):
                break
        if not _active(run, wanted, run.patience.left()):
            raise UnknownVerdictError(
                "channels did not become active",
                code="channels-inactive",
                details=tuple(sorted(map(str, wanted))),
                resolution="read `cartridge logs` of their ends, then run `cartridge up` again",
            )
        rest = max(1, ANNOUNCE - max(1, mined))
        run.producer.mine(rest)
        step.note = f"{mined + rest} blocks"


def _fundings(run: Run, wanted: Collection[ChannelKey]) -> list[str]:
    """Return the transactions that wait, in the order of their channels: so each gets the same short id every time."""
    txids = dict.fromkeys(run.points[key].partition(":")[0] for key in run.wanted if key in wanted)
    waiting = run.handles.chain.mempool()
    return [txid for txid in txids if txid in waiting]


def _active(run: Run, wanted: Iterable[ChannelKey], within: float) -> bool:
    brief = Patience.of(run.patience.clock, min(within, run.patience.left()), run.patience.cancelled)
    points: dict[str, set[str]] = {}
    for key in wanted:
        for name in (key.opener, key.acceptor):
            points.setdefault(name, set()).add(run.points[key])

    def has_them(name: str) -> bool:
        return points[name] <= {one.point for one in run.handles.nodes[name].channels() if one.active}

    try:
        run.in_turn(lambda name: until(lambda: has_them(name), "channels to be active", brief), sorted(points))
    except UnknownVerdictError as error:
        if error.code != "wait-timeout":
            raise
        return False
    return True


def _assign(plan: NetworkPlan, seen: Mapping[str, Seen]) -> tuple[dict[ChannelKey, str], list[ChannelKey]]:
    """Return an exactly fitting coin for each channel to open, and the channels there is none for."""
    free = {
        name: sorted((coin.amount, coin.outpoint) for coin in one.coins if coin.confirmations)
        for name, one in seen.items()
    }
    coins, missing = {}, []
    for key, channel in plan.open:
        amount = topology.channel_coin(channel)
        fitting = next((coin for coin in free[key.opener] if coin[0] == amount), None)
        if fitting is None:
            missing.append(key)
        else:
            free[key.opener].remove(fitting)
            coins[key] = fitting[1]
    return coins, missing
