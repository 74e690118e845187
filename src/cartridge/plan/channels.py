"""Which channel of before is which one of now, and what has to be done to each. Pure; asks no node.

A channel between two nodes has a number, and the number changes when one written before it goes: so channels are
told apart by what they are, and by their numbers only where that does not decide. A channel cannot get another
capacity or type, nor become private or zero-conf: it is closed, and another one opened. Policies are changed in place.
Another `push` is a payment over the channel, unless it would take an end below the reserve it must keep.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from msgspec.structs import replace

from cartridge.model.network import Channel, Network
from cartridge.model.quantities import Share, format_amount
from cartridge.plan.change import Change, ChangeKind
from cartridge.plan.digest import digest
from cartridge.plan.state import ChannelRecord

RESERVE = 100
"""The reserve an end must keep is a hundredth of the capacity: no payment takes it below."""
AGREED = "what its ends agree on"
"""The type of a channel for which none is written."""
_IN_FULL = {"from_", "to", "capacity", "private", "push", "policies"}

Same = Callable[[str, ChannelRecord, str, ChannelRecord], bool]


def channel_records(network: Network | None, points: Mapping[str, str] | None = None) -> dict[str, ChannelRecord]:
    """Return what is to be remembered of each channel by its name: `alice-bob-0` is the first one from alice to bob.

    Args:
        network: as written.
        points: funding outputs by name, where they are known.
    """
    records: dict[str, ChannelRecord] = {}
    for channel in network.channels if network else ():
        name = channel_name(channel, records)
        records[name] = _record(channel, (points or {}).get(name, ""))
    return records


def channel_name(channel: Channel, taken: Mapping[str, object]) -> str:
    """Return the first free name for a channel between these two, in the order they are written."""
    index = 0
    while (name := f"{channel.from_}-{channel.to}-{index}") in taken:
        index += 1
    return name


def pair_up(new: Mapping[str, ChannelRecord], old: Mapping[str, ChannelRecord]) -> dict[str, str]:
    """Return which old channel each new one is, by name; what is not in it is to be opened, or to be closed."""
    pairs: dict[str, str] = {}
    for same in _SAMENESS:
        free = {name: record for name, record in old.items() if name not in pairs.values()}
        for name, record in new.items():
            if name in pairs:
                continue
            found = next((one for one, before in free.items() if same(name, record, one, before)), None)
            if found is not None:
                pairs[name] = found
                del free[found]
    return pairs


def channel_changes(
    new: Mapping[str, ChannelRecord],
    old: Mapping[str, ChannelRecord],
    *,
    leaving: Collection[str] = (),
    anew: Collection[str] = (),
) -> tuple[Change, ...]:
    """Return a change for each channel: those that go first, then the wanted ones in the order written.

    Args:
        new: as written.
        old: as the last `up` left them.
        leaving: nodes the network no longer has.
        anew: nodes that lose their data; their channels go with it.
    """
    pairs = pair_up(new, old)
    gone = (_gone(name, record, leaving) for name, record in old.items() if name not in pairs.values())
    return (*gone, *(_change(name, record, pairs.get(name), old, anew) for name, record in new.items()))


def is_rebalanced(new: ChannelRecord, old: ChannelRecord) -> bool:
    """Return whether a payment has to move the difference between two ways a channel was to be split."""
    return new.push != old.push and not must_be_replaced(new, old)


def must_be_replaced(new: ChannelRecord, old: ChannelRecord) -> str:
    """Return why an old channel cannot become the new one, or "" where it can."""
    if new.capacity != old.capacity:
        was, now = format_amount(old.capacity), format_amount(new.capacity)
        return f"its capacity changed from {was} to {now}"
    if new.private != old.private:
        return "it is private now" if new.private else "it is no longer private"
    if why := _kind(new, old):
        return why
    if new.push != old.push and pushed(new) < new.capacity // RESERVE:
        return f"its push changed from {_share(old.push)} to {_share(new.push)}, less than a payment can bring it to"
    return ""


def _kind(new: ChannelRecord, old: ChannelRecord) -> str:
    if new.zero_conf != old.zero_conf:
        return "it is to be used before it is confirmed" if new.zero_conf else "it is to be confirmed before it is used"
    if new.type != old.type:
        return f"its type changed from {old.type or AGREED} to {new.type or AGREED}"
    return "what it is made of changed" if new.rest != old.rest else ""


def pushed(record: ChannelRecord) -> int:
    """Return the millisatoshis given to the other end."""
    number, _, unit = record.push.partition(" ")
    return Share(number).of(record.capacity) if unit == "ppm" else int(number)


def _record(channel: Channel, point: str) -> ChannelRecord:
    return ChannelRecord(
        opener=channel.from_,
        acceptor=channel.to,
        capacity=channel.capacity,
        private=channel.private,
        push=f"{int(channel.push)} {'ppm' if isinstance(channel.push, Share) else 'msat'}",
        policies={
            node: {word: value for word, value in policy if value is not None}
            for node, policy in channel.policies.items()
        },
        rest=digest({name: getattr(channel, name) for name in type(channel).model_fields if name not in _IN_FULL}),
        point=point,
        zero_conf=channel.zero_conf,
        type=channel.type or "",
    )


def _gone(name: str, old: ChannelRecord, leaving: Collection[str]) -> Change:
    why = [f"`{node}` leaves" for node in (old.opener, old.acceptor) if node in leaving]
    reason = f"{' and '.join(why)}: it is closed before" if why else "the network no longer has it: it is closed"
    return Change(ChangeKind.DELETE, f"channel/{name}", reason)


def _change(
    name: str, new: ChannelRecord, before: str | None, old: Mapping[str, ChannelRecord], lost: Collection[str]
) -> Change:
    resource = f"channel/{name}"
    if before is None:
        return Change(ChangeKind.CREATE, resource, "it is not open yet")
    for node in (new.opener, new.acceptor):
        if node in lost:
            return Change(ChangeKind.REPLACE, resource, f"`{node}` is made anew")
    if why := must_be_replaced(new, old[before]):
        return Change(ChangeKind.REPLACE, resource, f"{why}: it is closed, and another one opened")
    if changed := (*_policies(new, old[before]), *_push(new, old[before])):
        return Change(ChangeKind.UPDATE, resource, "; ".join(changed))
    known = "" if before == name else f", as `{before}` before"
    left = [f"`{node}`'s {word} is no longer written and stays" for node, word in _no_longer_written(new, old[before])]
    return Change(ChangeKind.KEEP, resource, "; ".join([f"it is open as written{known}", *left]))


def _policies(new: ChannelRecord, old: ChannelRecord) -> Iterable[str]:
    for node, policy in new.policies.items():
        was = old.policies.get(node, {})
        for word, value in policy.items():
            if was.get(word) != value:
                before = f" from {said(word, was[word])}" if word in was else ""
                yield f"`{node}`'s {word} changes{before} to {said(word, value)}"


def _no_longer_written(new: ChannelRecord, old: ChannelRecord) -> Iterable[tuple[str, str]]:
    for node, policy in old.policies.items():
        for word in policy:
            if word not in new.policies.get(node, {}):
                yield node, word


def _push(new: ChannelRecord, old: ChannelRecord) -> Iterable[str]:
    if new.push != old.push:
        yield f"its push changed from {_share(old.push)} to {_share(new.push)}: a payment moves the difference"


def said(word: str, value: int) -> str:
    """Return the value of a field of a policy as people write it."""
    if word == "fee_rate":
        return f"{value} ppm"
    return f"{value} blocks" if word == "time_lock_delta" else format_amount(value)


def _share(push: str) -> str:
    number, _, unit = push.partition(" ")
    return f"{int(number) / 10_000:g}%" if unit == "ppm" else format_amount(int(number))


def _between(one: ChannelRecord, other: ChannelRecord) -> bool:
    return (one.opener, one.acceptor) == (other.opener, other.acceptor)


def _is_written_alike(one: ChannelRecord, other: ChannelRecord) -> bool:
    return replace(one, point="") == replace(other, point="")


_SAMENESS: tuple[Same, ...] = (
    lambda name, new, before, old: name == before and _is_written_alike(new, old),
    lambda name, new, before, old: _is_written_alike(new, old),
    lambda name, new, before, old: name == before and _between(new, old) and not must_be_replaced(new, old),
    lambda name, new, before, old: _between(new, old) and not must_be_replaced(new, old),
    lambda name, new, before, old: name == before and _between(new, old),
)
"""What makes two channels the same one, from the surest to the weakest."""
