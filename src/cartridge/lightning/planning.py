"""What must be done to a live network so that it is as written, and why. Pure: from what was seen to a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from cartridge.lightning.matching import NOTHING, Closing, Former, closings, match, stale
from cartridge.lightning.nodes.node import NodeChannel, Policy
from cartridge.lightning.proof import half_proven
from cartridge.lightning.topology import ChannelKey, Seen, keys, knows, pushed, readers, satisfied
from cartridge.model import network as model
from cartridge.plan.change import Change, ChangeKind
from cartridge.plan.channels import said


class PolicyChange(Struct, frozen=True):
    """The policy one end of a channel must get; `node` is that end's name, `known` what it has now."""

    key: ChannelKey
    node: str
    policy: model.Policy
    known: Policy | None = None


class NetworkPlan(Struct, frozen=True):
    """What must be done to a live network, in the order of its channels.

    Attributes:
        open: channels that are missing, with what was written of them.
        confirm: channels that exist and are not active yet, or not known with both policies wherever they must be.
        policies: ends whose policy is not as written; those of channels still to be opened are not among them.
        mend: channels over which a probe went there and not back, because its run was killed in between.
        changes: the same for people, one for every channel.
        close: channels that nobody asks for any more.
        forget: points of channels that are closed, but not for everybody yet.
        balance: channels whose split is to be as written again, and is not.
    """

    open: tuple[tuple[ChannelKey, model.Channel], ...]
    confirm: tuple[ChannelKey, ...]
    policies: tuple[PolicyChange, ...]
    mend: tuple[ChannelKey, ...]
    changes: tuple[Change, ...]
    close: tuple[Closing, ...] = ()
    forget: frozenset[str] = frozenset()
    balance: tuple[ChannelKey, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the network is as written."""
        return not (
            self.open or self.confirm or self.policies or self.mend or self.close or self.forget or self.balance
        )


def plan_network(network: model.Network, seen: Mapping[str, Seen], former: Former = NOTHING) -> NetworkPlan:
    """Return what makes the live network as written; nothing that is as written is touched.

    Args:
        network: as written.
        seen: every node of it, by name; one that does not answer has no public key and is asked for nothing.
        former: what is known of the time before.
    """
    wanted, existing = keys(network), match(network, seen, former)
    missing = tuple((key, channel) for key, channel in wanted.items() if key not in existing)
    waiting = tuple(key for key, channel in existing.items() if _is_unfinished(wanted[key], key, channel, seen))
    policies = tuple(_policies(wanted, existing, seen))
    mend = tuple(key for key, channel in existing.items() if network.probe != "none" and half_proven(channel))
    balance = tuple(
        key for key, channel in existing.items() if key.name in former.balance and channel.remote != pushed(wanted[key])
    )
    close = closings(seen, existing, former)
    plan = NetworkPlan(missing, waiting, policies, mend, (), close, stale(seen), balance)
    gone = (Change(ChangeKind.DELETE, str(one), "nobody asks for it: it is closed") for one in close)
    return replace(plan, changes=(*gone, *_changes(wanted, plan)))


def _is_unfinished(written: model.Channel, key: ChannelKey, channel: NodeChannel, seen: Mapping[str, Seen]) -> bool:
    """Return whether a channel that exists is not usable for everybody who may use it."""
    ends = (seen[key.opener].pubkey, seen[key.acceptor].pubkey)
    return (
        channel.pending
        or channel.unconfirmed
        or not channel.active
        or not all(knows(seen[name], channel.point, ends) for name in readers(written, seen) if seen[name].pubkey)
    )


def _policies(
    wanted: Mapping[ChannelKey, model.Channel], existing: Mapping[ChannelKey, NodeChannel], seen: Mapping[str, Seen]
) -> Iterator[PolicyChange]:
    for key, channel in existing.items():
        for node, policy in wanted[key].policies.items():
            known = seen[node].policies.get((channel.point, seen[node].pubkey))
            if not satisfied(policy, known):
                yield PolicyChange(key, node, policy, known)


def _changes(wanted: Iterable[ChannelKey], plan: NetworkPlan) -> Iterator[Change]:
    opened, unfinished = {key for key, _ in plan.open}, {*plan.confirm, *plan.mend}
    for key in wanted:
        different = [_difference(change) for change in plan.policies if change.key == key]
        different += ["its split is not as written"] if key in plan.balance else []
        if key in opened:
            yield Change(ChangeKind.CREATE, str(key), "it does not exist")
        elif key in unfinished:
            yield Change(ChangeKind.START, str(key), "it exists, but is not proven to work for every node")
        elif different:
            yield Change(ChangeKind.UPDATE, str(key), "; ".join(different))
        else:
            yield Change(ChangeKind.KEEP, str(key), "it is as written")


def _difference(change: PolicyChange) -> str:
    """Return what an end asks for, and what was written instead."""
    if change.known is None:
        return f"`{change.node}` has no policy yet"
    other = [
        f"{word} is {said(word, getattr(change.known, word))} and not {said(word, value)}"
        for word, value in change.policy
        if value is not None and value != getattr(change.known, word)
    ]
    return f"`{change.node}`'s {', '.join(other)}"
