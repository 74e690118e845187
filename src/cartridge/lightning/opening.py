"""Opens what is missing: peers, a coin for each channel, all fundings at once, blocks for all of them.

Never opens what exists, and never closes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

from cartridge.errors import ApplyError, UnknownVerdictError
from cartridge.lightning import proof, topology
from cartridge.lightning.chains.bitcoind import Output
from cartridge.lightning.nodes.node import Guest, NotYetError, Opening
from cartridge.lightning.observation import look_at_graph
from cartridge.lightning.planning import NetworkPlan
from cartridge.lightning.run import Run
from cartridge.lightning.topology import ChannelKey, Seen
from cartridge.model.network import Channel
from cartridge.probes.wait import until

ANNOUNCE = 6
"""Confirmations after which lnd announces a channel to the network."""
SECOND_LOOK = 2.0
"""Seconds a confirmed channel gets to become active before another block is tried."""
HEAR_WITHIN = 5.0
"""Seconds both policies of a channel get to become known before it is announced."""
EARLY_WITHIN = 30.0
"""Seconds two ends get to agree on a channel that is used before it is confirmed, and then to use it."""


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
        step.note = f"{len(missing)} paid now"
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
        for some in _rounds(plan):
            with _welcomed(run, some):
                opened = run.everywhere(lambda item: _open(run, *item, coins[item[0]]), some)
            run.points |= {key: point for (key, _), point in zip(some, opened, strict=True)}
            txids = {point.partition(":")[0] for point in opened}
            until(partial(_have_come, run, txids), "the fundings to be in the mempool", run.patience)
            _use_early(run, [key for key, channel in some if channel.zero_conf])


@contextmanager
def _welcomed(run: Run, some: Collection[tuple[ChannelKey, Channel]]) -> Iterator[None]:
    """While it lasts, let the other ends take those of these channels before they are confirmed that are to be so."""
    guests: dict[str, list[Guest]] = {key.acceptor: [] for key, _ in some}
    for key, channel in some:
        if channel.zero_conf:
            guest = Guest(run.pubkeys[key.opener], key.capacity, topology.pushed(channel), channel.private)
            guests[key.acceptor].append(guest)
    with ExitStack() as welcomes:
        parted = run.everywhere(
            lambda item: welcomes.enter_context(run.handles.nodes[item[0]].welcoming(item[1])), guests.items()
        )
        alone = {name for name, has_parted in zip(guests, parted, strict=True) if has_parted}
        ends = [(key.opener, key.acceptor) for key in run.wanted]
        # whoever has parted connects: it does so by itself as well, and two connections at once would end each other
        connect_pairs(run, {pair for one in ends for pair in (one, one[::-1]) if pair[0] in alone})
        yield


def _use_early(run: Run, keys: Collection[ChannelKey]) -> None:
    """Return once these channels, confirmed by no block yet, carry payments."""
    if not keys:
        return
    if not _active(run, keys, EARLY_WITHIN):
        raise ApplyError(
            f"{', '.join(f'`{key}`' for key in keys)}: an end waits for a confirmation",
            code="zero-conf-refused",
            resolution="run `cartridge up` again; where that changes nothing, write the channel without `zero_conf`",
        )
    if run.network.probe != "none":
        run.everywhere(partial(prove, run), keys)


def prove(run: Run, key: ChannelKey) -> int:
    """Return how many payments passed over a channel, whose split is as it was."""
    return proof.prove((run.handles.nodes[key.opener], run.handles.nodes[key.acceptor]), run.points[key], run.patience)


def _have_come(run: Run, txids: set[str]) -> bool:
    return txids <= run.handles.chain.mempool()


def _rounds(plan: NetworkPlan) -> list[list[tuple[ChannelKey, Channel]]]:
    """Return what to open at once: first what is used unconfirmed, which some nodes decide by the peer alone."""
    early = [one for one in plan.open if one[1].zero_conf]
    return [some for some in (early, [one for one in plan.open if not one[1].zero_conf]) if some]


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
        zero_conf=channel.zero_conf,
        type=channel.type,
    )
    node, patience = run.handles.nodes[key.opener], run.patience
    if not channel.zero_conf:
        return until(lambda: node.open(opening), f"`{key}` to open", patience, expected=(NotYetError,))

    def opened() -> str:
        connect_pairs(run, [(key.opener, key.acceptor)])  # its peer may have started again, unseen by it so far
        return node.open(opening)

    return until(opened, f"`{key}` to open", patience.at_most(EARLY_WITHIN), expected=(NotYetError,))


def confirm(run: Run, plan: NetworkPlan) -> None:
    """Mine until every channel is active at both ends, then until the network may hear of it."""
    wanted = {*(key for key, _ in plan.open), *plan.confirm}
    if not wanted:
        return
    with run.recorder.step("network/confirm", "channels: confirming") as step:
        fundings = _fundings(run, wanted)
        mined = 0
        while (missing := _missing(run, wanted)) or (fundings and not mined):
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
        _hear_first(run, wanted)
        rest = max(1, ANNOUNCE - max(1, mined))
        run.producer.mine(rest)
        until(lambda: not any(one.unconfirmed for one in run.ends(wanted)), "fundings to count", run.patience)
        step.note = f"{mined + rest} blocks"


def _hear_first(run: Run, keys: Iterable[ChannelKey]) -> None:
    """Let ends with aliases know both policies before they announce: lnd then forgets for good what is on its way."""
    early = {name for key, one in run.wanted.items() if one.zero_conf for name in (key.opener, key.acceptor)}
    at = [key for key in keys if not early.isdisjoint((key.opener, key.acceptor))]

    def all_known() -> bool:
        names = sorted(early & {name for key in at for name in (key.opener, key.acceptor)})
        graphs = dict(
            zip(names, run.everywhere(lambda name: look_at_graph(run.handles.nodes[name]), names), strict=True)
        )
        return all(
            (run.points[key], run.pubkeys[end]) in graphs[name]
            for key in at
            for name in early & {key.opener, key.acceptor}
            for end in (key.opener, key.acceptor)
        )

    with suppress(UnknownVerdictError):  # what is missing still is asked for again, once all is announced
        until(all_known, "policies to be known", run.patience.at_most(HEAR_WITHIN))


def _missing(run: Run, keys: Iterable[ChannelKey]) -> int:
    return max((one.confirmations_missing for one in run.ends(keys)), default=0)


def _fundings(run: Run, wanted: Collection[ChannelKey]) -> list[str]:
    """Return the transactions that wait, in the order of their channels: so each gets the same short id every time."""
    txids = dict.fromkeys(run.points[key].partition(":")[0] for key in run.wanted if key in wanted)
    waiting = run.handles.chain.mempool()
    return [txid for txid in txids if txid in waiting]


def _active(run: Run, wanted: Iterable[ChannelKey], within: float) -> bool:
    brief = run.patience.at_most(within)
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
