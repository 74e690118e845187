"""What the nodes say to each other of their channels: policies as written, and every node knowing them.

Never opens or closes a channel.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from functools import partial

from cartridge.lightning import topology
from cartridge.lightning.nodes.node import NotYetError, Policy
from cartridge.lightning.observation import Relearning, await_forwarding, hears_all_forward, look_at_graph
from cartridge.lightning.opening import connect_pairs
from cartridge.lightning.planning import NetworkPlan, PolicyChange
from cartridge.lightning.run import Run
from cartridge.lightning.topology import ChannelKey
from cartridge.probes.wait import until

SILENCE = 2.0
"""Seconds without news after which what is missing is said again; after each time, twice as many."""

End = tuple[ChannelKey, str]
"""A channel and the name of one of its ends."""


def set_policies(run: Run, plan: NetworkPlan) -> None:
    """Give each end the policy that was written for it."""
    opened = {key for key, _ in plan.open}
    fresh = [PolicyChange(key, *item) for key in opened for item in run.wanted[key].policies.items()]
    changes = [*fresh, *plan.policies]
    if not changes:
        return
    with run.recorder.step("network/policies", "channels: setting policies"):
        run.everywhere(lambda one: _set_policy(run, one), changes)


def _set_policy(run: Run, change: PolicyChange) -> None:
    node, end = run.handles.nodes[change.node], (run.points[change.key], run.pubkeys[change.node])
    known = until(lambda: look_at_graph(node).get(end), f"`{change.node}` to know `{change.key}`", run.patience)
    if not topology.satisfied(change.policy, known):
        node.set_policy(end[0], topology.merged(change.policy, known))


def spread(run: Run) -> None:
    """Wait until each node knows each channel it may use, with both policies as written.

    Where nothing more comes, what somebody misses is said again: an LDK node forgets a policy that arrives before the
    announcement of its channel has been checked, and nobody sends it that one a second time. Who misses a whole channel
    asks its peers anew: nobody announces one twice.
    """
    with run.recorder.step("network/gossip", "graph: spreading") as step:
        ears, waiting, silence, again, anew = _Ears(run), [*run.handles.nodes], SILENCE, 0, 0
        while waiting := ears.listen(waiting, silence):
            deaf = [name for name in waiting if ears.misses_channels(name)]
            parted = run.everywhere(partial(_ask_anew, run), deaf)
            connect_pairs(run, [pair for pairs in parted for pair in pairs])
            lost = {end for name in waiting for end in ears.missing[name]}
            run.everywhere(lambda end: _say_again(run, end), sorted(lost, key=str))
            silence, again, anew = 2 * silence, again + len(lost), anew + len(deaf)
        said = f"{again} policies said again" if again else ""
        step.note = f"{said}, {anew} times nodes asked anew" if anew else said


def await_return(run: Run) -> None:
    """Wait until no node takes a channel for one that forwards nothing because its ends had parted."""
    points, nodes = frozenset(run.points.values()), list(run.handles.nodes.values())
    if not all(run.everywhere(lambda node: hears_all_forward(node, points), nodes)):
        with run.recorder.step("network/return", "graph: hearing which channels forward again"):
            run.everywhere(lambda node: await_forwarding(node, points, run.patience), nodes)


class _Ears:
    """What the nodes of a run have not heard yet, by name, and since when there is no news for any of them."""

    def __init__(self, run: Run) -> None:
        self._run, self._news = run, 0.0
        self.missing: dict[str, set[End]] = {}

    def misses_channels(self, name: str) -> bool:
        """Return whether a node has heard nothing of some channel: of neither end."""
        missing = self.missing[name]
        return any({(key, key.opener), (key, key.acceptor)} <= missing for key, _ in missing)

    def listen(self, names: Collection[str], silence: float) -> list[str]:
        """Return those who do not know everything, once nobody has heard anything for so many seconds; or nobody."""
        self._news = self._run.patience.clock.monotonic()
        self._run.in_turn(lambda name: self._hear(name, silence), names)
        return [name for name in names if self.missing[name]]

    def _hear(self, name: str, silence: float) -> None:
        run = self._run
        mine = [key for key, channel in run.wanted.items() if name in topology.readers(channel, run.handles.nodes)]
        ends = [(key, end) for key in mine for end in (key.opener, key.acceptor)]

        def is_over() -> bool:
            policies = look_at_graph(run.handles.nodes[name])
            missing = {end for end in ends if not _as_written(run, end, policies)}
            now = run.patience.clock.monotonic()
            if missing != self.missing.get(name):
                self.missing[name], self._news = missing, now
            return not missing or now - self._news >= silence

        until(is_over, f"`{name}` to know every channel", run.patience)


def _ask_anew(run: Run, name: str) -> list[tuple[str, str]]:
    """Have a node ask its peers for all they know: as its implementation does that, or by parting and coming back.

    Returns: whom it has to be connected to again, each with its own name first.
    """
    node = run.handles.nodes[name]
    pairs = {(key.opener, key.acceptor) for key in run.wanted} | topology.links(run.network)
    peers = sorted({other for pair in pairs if name in pair for other in pair} - {name})
    if isinstance(node, Relearning):
        node.relearn()
    else:
        for peer in peers:
            node.disconnect(run.pubkeys[peer])
    return [(name, peer) for peer in peers]


def _say_again(run: Run, end: End) -> None:
    key, name = end
    node, at = run.handles.nodes[name], (run.points[key], run.pubkeys[name])
    known = look_at_graph(node).get(at)
    if known is not None:
        wanted = run.wanted[key].policies.get(name)
        with contextlib.suppress(NotYetError):  # it is asked again after the next silence
            node.set_policy(at[0], topology.merged(wanted, known) if wanted else known)


def _as_written(run: Run, end: End, policies: Mapping[tuple[str, str], Policy]) -> bool:
    key, name = end
    known, wanted = policies.get((run.points[key], run.pubkeys[name])), run.wanted[key].policies.get(name)
    return known is not None and (wanted is None or topology.satisfied(wanted, known))
