"""`channel`: open, close and list the channels of a stack that is up.

What is opened here is a stranger to `up`, which neither counts nor closes it; what `up` opened and is closed here is
missing for the next `up`, which opens it again. Never changes the documents or the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from cartridge.errors import InputError, MissingError
from cartridge.operations.access import follow, grip, keeper
from cartridge.operations.access.channel_views import SATOSHI, Look, label, pick
from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen
from cartridge.operations.results.networks import ChannelCloseResult, ChannelOpenResult, ChannelsResult
from cartridge.plan.state import State
from cartridge.probes.wait import until
from cartridge.workspace.compatibility import impossible_type

if TYPE_CHECKING:
    from cartridge.lightning.nodes.node import Guest, Node, NodeChannel, Opening

BY_HAND = "by hand"
"""What the opener's node remembers with such a channel; no name in a document can be that."""
ANNOUNCED = 6
"""Confirmations after which the network may hear of a channel."""
MOST_BLOCKS = 8
"""Blocks after which every implementation takes a channel for open, or for closed."""


class Wanted(Struct, frozen=True):
    """A channel to open by hand: both ends by name, amounts in millisatoshis."""

    opener: str
    acceptor: str
    capacity: int
    push: int = 0
    private: bool = False
    zero_conf: bool = False
    type: str | None = None


def channels(context: Context) -> ChannelsResult:
    """Return every channel of the stack, as its opener sees it; last those that are being closed.

    Raises:
        MissingError: no such stack.
    """
    state = chosen(context)
    nodes, absent = follow.awake(grip.nodes(context, state))
    look = Look(state, follow.names(context, state), nodes)
    ending = look.endings()
    gone = {one.point for one in ending}  # the other end may not have seen it yet
    return ChannelsResult(state.stack, (*(one for one in look.views() if one.point not in gone), *ending), absent)


def open_channel(context: Context, wanted: Wanted) -> ChannelOpenResult:
    """Open a channel, paid from the opener's wallet, and return when it is active and known at both ends.

    Raises:
        InputError: `amount-wrong`, `channel-to-itself`, `channel-type-impossible`.
        MissingError: no such stack or node.
        ApplyError: the opener refuses; `lnd-refused`, mostly because its wallet holds too little; `not-supported`,
            an end cannot have such a channel.
        UnknownVerdictError: `wait-timeout`.
    """
    from cartridge.lightning.nodes.node import NotYetError, Opening

    _refuse(wanted)
    state = chosen(context)
    opener, acceptor = (grip.node(context, state, name) for name in (wanted.opener, wanted.acceptor))
    keys, patience = {name: key for key, name in follow.names(context, state).items()}, follow.patience(context)
    peer = keys[wanted.acceptor]
    address = follow.peer_address(context, state, wanted.acceptor)
    if peer not in opener.peers():
        with context.recorder.step("channel/connect", f"{wanted.opener}: connecting to {wanted.acceptor}"):
            until(partial(_connect, opener, peer, address), "the peer to connect", patience, expected=(NotYetError,))
    opening = Opening(
        peer=peer,
        capacity=wanted.capacity // SATOSHI,
        push=wanted.push // SATOSHI,
        coin="",
        memo=BY_HAND,
        private=wanted.private,
        zero_conf=wanted.zero_conf,
        type=wanted.type,
    )

    def opened() -> str:
        if wanted.zero_conf:
            opener.connect(peer, address)  # the other end may have started again, unseen by this one so far
        return opener.open(opening)

    with keeper.still(context, state, follow.PATIENCE):
        with (
            context.recorder.step("channel/open", f"{wanted.opener}: opening a channel to {wanted.acceptor}"),
            _welcomed(context, state, acceptor, _guests(opening, keys[wanted.opener])),
        ):
            point = until(opened, "the channel to open", patience, expected=(NotYetError,))
        nodes, _ = follow.awake(grip.nodes(context, state))
        if wanted.zero_conf:
            _use(context, (opener, acceptor), point)
        mined = 0 if wanted.zero_conf else _confirm(context, state, nodes, (opener, acceptor), point)
    return ChannelOpenResult(Look(state, follow.names(context, state), nodes).view(point), mined)


def _guests(opening: Opening, opener: str) -> tuple[Guest, ...]:
    from cartridge.lightning.nodes.node import Guest

    return (Guest(opener, opening.capacity, opening.push, opening.private),) if opening.zero_conf else ()


@contextmanager
def _welcomed(context: Context, state: State, acceptor: Node, guests: tuple[Guest, ...]) -> Iterator[None]:
    """While it lasts, let a node take these channels unconfirmed; where it starts again for that, connect it again."""
    from cartridge.lightning.nodes.node import NotYetError

    before, names = acceptor.peers(), follow.names(context, state)
    with acceptor.welcoming(guests) as parted:
        for key in before & names.keys() if parted else ():
            way = partial(_connect, acceptor, key, follow.peer_address(context, state, names[key]))
            until(way, f"`{names[key]}` to be connected again", follow.patience(context), expected=(NotYetError,))
        yield


def _connect(node: Node, peer: str, address: str) -> bool:
    node.connect(peer, address)
    return True


def close_channel(context: Context, *, which: tuple[str, ...], force: bool) -> ChannelCloseResult:
    """Close a channel, given by its name, point or short id, or by its two ends; return when it is gone at both.

    Raises:
        MissingError: no such stack; `channel-unknown`.
        InputError: `channel-ambiguous`, two nodes share several.
        ApplyError: a node refuses, such as because its peer is offline and it is not forced.
        UnknownVerdictError: `wait-timeout`.
    """
    state = chosen(context)
    nodes, _ = follow.awake(grip.nodes(context, state))
    look = Look(state, follow.names(context, state), nodes)
    channel = pick(look.views(), which)
    closer = nodes.get(channel.opener) or nodes.get(channel.acceptor)
    if closer is None:
        raise MissingError(
            f"neither `{channel.opener}` nor `{channel.acceptor}` answers",
            code="channel-unknown",
            resolution="`cartridge ps` says what is up",
        )
    ends = [nodes[name] for name in (channel.opener, channel.acceptor) if name in nodes]
    with keeper.still(context, state, follow.PATIENCE):
        with context.recorder.step("channel/close", f"{closer.name}: closing {label(channel)}"):
            txid = closer.close(channel.point, force=force)
        mined = _bury(context, state, nodes, ends, (channel.point, txid))
    left = max((one.blocks_left for end in ends for one in end.endings() if one.point == channel.point), default=0)
    return ChannelCloseResult(channel, txid, force, mined, left)


def _confirm(context: Context, state: State, nodes: Mapping[str, Node], ends: tuple[Node, Node], point: str) -> int:
    """Mine until a channel is active and known at both ends, and return how many blocks that took."""
    patience = follow.patience(context)
    with (
        context.recorder.step("channel/confirm", "mining until it is active"),
        follow.producer(context, state, nodes) as producer,
    ):
        until(lambda: point.partition(":")[0] in producer.chain.mempool(), "the funding", patience)
        mined = 0
        while mined < ANNOUNCED or _missing(ends, point):
            producer.mine()
            mined += 1
    _use(context, ends, point)
    return mined


def _use(context: Context, ends: tuple[Node, Node], point: str) -> None:
    """Return once a channel is active and known at both ends."""
    patience = follow.patience(context)
    with context.recorder.step("channel/use", "waiting until it is active"):
        until(partial(_is_active, ends, point), "the channel to be active", patience)
        until(partial(_is_known, ends, point), "both policies to be known", patience)


def _bury(
    context: Context, state: State, nodes: Mapping[str, Node], ends: Iterable[Node], what: tuple[str, str]
) -> int:
    """Mine until a channel (its point, and what closes it) is gone at both ends; return how many blocks that took."""
    point, txid = what
    patience, ends, mined = follow.patience(context), tuple(ends), 0
    with context.recorder.step("channel/confirm", "mining until it is gone"):
        with follow.producer(context, state, nodes) as producer:
            until(lambda: txid in producer.chain.mempool(), "the closing transaction", patience)
            while mined == 0 or (mined < MOST_BLOCKS and not _are_gone(ends, point)):
                producer.mine()
                mined += 1
        until(partial(_are_gone, ends, point), "the channel to be gone", patience)
    return mined


def _refuse(wanted: Wanted) -> None:
    if wanted.opener == wanted.acceptor:
        raise InputError(
            f"`{wanted.opener}` cannot have a channel to itself",
            code="channel-to-itself",
            resolution="name two nodes of the network",
        )
    if problem := impossible_type(wanted.type, private=wanted.private, zero_conf=wanted.zero_conf):
        raise InputError(problem.brief, code="channel-type-impossible", resolution=problem.fix)
    for amount in (wanted.capacity, wanted.push):
        if amount % SATOSHI:
            raise InputError(
                "a channel holds whole satoshis",
                code="amount-wrong",
                resolution="write an amount such as `100_000 sat`",
            )
    if wanted.push >= wanted.capacity:
        raise InputError(
            "more would be pushed than the channel holds",
            code="amount-wrong",
            resolution="push less than the capacity; the opener also keeps a reserve and the commitment's fee",
        )


def _ends(nodes: Iterable[Node], point: str) -> list[NodeChannel | None]:
    return [next((channel for channel in node.channels() if channel.point == point), None) for node in nodes]


def _missing(nodes: Iterable[Node], point: str) -> bool:
    return any(end is None or end.confirmations_missing for end in _ends(nodes, point))


def _is_active(nodes: Iterable[Node], point: str) -> bool:
    return all(end is not None and end.active for end in _ends(nodes, point))


def _is_known(nodes: Iterable[Node], point: str) -> bool:
    return all(any(edge.point == point and None not in edge.policies for edge in node.edges()) for node in nodes)


def _are_gone(nodes: Iterable[Node], point: str) -> bool:
    return all(end is None for end in _ends(nodes, point))
