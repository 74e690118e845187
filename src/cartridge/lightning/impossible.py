"""What no network of real nodes can be, found in a network block before anything is started. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from cartridge.errors import InputError
from cartridge.lightning.topology import pushed
from cartridge.model import network as model
from cartridge.model.quantities import Share, format_amount

_SATOSHI = 1_000
"""Millisatoshis in a satoshi."""
SMALLEST, LARGEST = 20_000, 1_000_000_000
"""Satoshis a channel can hold: lnd's minimum, and its maximum with wumbo channels (10 BTC)."""
SHORTEST_DELTA = 24
"""Blocks of a policy's time lock; lnd, `minTimeLockDelta`."""
RESERVE_PER_CHANNEL, RESERVE_AT_MOST = 10_000, 100_000
"""Satoshis lnd keeps back on the chain for each announced channel it opens, to be able to bump fees."""


class Problem(Struct, frozen=True):
    """Something in a network block that no network can be.

    Attributes:
        path: keys from `network` to the value, such as `("channels", 0, "capacity")`.
        code: stable slug.
        brief: one sentence without a full stop.
        resolution: what to do about it.
    """

    path: tuple[str | int, ...]
    code: str
    brief: str
    resolution: str


def problems(network: model.Network) -> tuple[Problem, ...]:
    """Return everything in the network block that lnd would refuse, before anything is started."""
    found = [*_whole(network)]
    opened: Counter[str] = Counter(channel.from_ for channel in network.channels if not channel.private)
    for place, channel in enumerate(network.channels):
        found += _channel_problems(place, channel)
        found += _policy_problems(network, place, channel)
    for name, node in network.nodes.items():
        least = min(RESERVE_PER_CHANNEL * opened[name], RESERVE_AT_MOST) * _SATOSHI
        if node.balance < least:
            found.append(
                Problem(
                    ("nodes", name, "balance"),
                    "balance-too-low",
                    f"`{name}` opens {opened[name]} announced channels but keeps only {format_amount(node.balance)}",
                    f"leave it {format_amount(least)} or more: lnd holds that back to be able to bump fees",
                )
            )
    return tuple(found)


def _policy_problems(network: model.Network, place: int, channel: model.Channel) -> Iterable[Problem]:
    for name, policy in channel.policies.items():
        delta = policy.time_lock_delta
        if delta is not None and delta < SHORTEST_DELTA and network.nodes[name].implementation == "lnd":
            yield Problem(
                ("channels", place, "policies", name, "time_lock_delta"),
                "time-lock-too-short",
                f"`{name}` cannot ask for a time lock of {delta} blocks",
                f"write {SHORTEST_DELTA} or more: lnd takes no fewer",
            )


def refuse_impossible(network: model.Network) -> None:
    """Raise InputError (`network-impossible`) with everything in the block that lnd would refuse."""
    if found := problems(network):
        raise InputError(
            found[0].brief,
            code="network-impossible",
            details=tuple(f"{'.'.join(map(str, problem.path))}: {problem.brief}" for problem in found[1:]),
            resolution=found[0].resolution,
        )


def _channel_problems(place: int, channel: model.Channel) -> Iterable[Problem]:
    capacity = channel.capacity // _SATOSHI
    if not SMALLEST <= capacity <= LARGEST:
        yield Problem(
            ("channels", place, "capacity"),
            "capacity-out-of-range",
            f"a channel cannot hold {format_amount(channel.capacity)}",
            f"write an amount from `{SMALLEST:_} sat` to `{LARGEST:_} sat`",
        )
    elif pushed(channel) > capacity - capacity // 20 - SMALLEST // 4:
        yield Problem(
            ("channels", place, "push"),
            "push-too-large",
            f"`{channel.from_}` cannot give away {pushed(channel):_} sat of {capacity:_} sat",
            "push at most 90% of the capacity: the opener keeps a reserve of 1% and pays the commitment's fee",
        )


def _whole(network: model.Network) -> Iterable[Problem]:
    amounts: list[tuple[tuple[str | int, ...], int]] = [
        (("nodes", name, "balance"), node.balance) for name, node in network.nodes.items()
    ]
    for place, channel in enumerate(network.channels):
        amounts.append((("channels", place, "capacity"), channel.capacity))
        if not isinstance(channel.push, Share):
            amounts.append((("channels", place, "push"), channel.push))
    for path, amount in amounts:
        if amount % _SATOSHI:
            yield Problem(
                path, "amount-not-whole", f"{format_amount(amount)} is no whole number of satoshis", "write it in `sat`"
            )
