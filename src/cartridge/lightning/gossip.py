"""What the nodes say to each other of their channels: policies as written, and every node knowing them.

Never opens or closes a channel.
"""

from __future__ import annotations

from collections.abc import Mapping

from cartridge.lightning import topology
from cartridge.lightning.node import Node, Policy
from cartridge.lightning.observation import look_at_graph
from cartridge.lightning.planning import NetworkPlan, PolicyChange
from cartridge.lightning.run import Run
from cartridge.lightning.topology import ChannelKey
from cartridge.probes.wait import until


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
    """Wait until each node knows each channel it may use, with both policies as written."""
    with run.recorder.step("network/gossip", "graph: spreading"):
        run.in_turn(lambda one: _hear(run, one), run.handles.nodes.items())


def _hear(run: Run, item: tuple[str, Node]) -> None:
    name, node = item
    mine = [key for key, channel in run.wanted.items() if name in topology.readers(channel, run.handles.nodes)]

    def complete() -> bool:
        policies = look_at_graph(node)
        return all(_as_written(run, key, policies) for key in mine)

    until(complete, f"`{name}` to know every channel", run.patience)


def _as_written(run: Run, key: ChannelKey, policies: Mapping[tuple[str, str], Policy]) -> bool:
    for end in (key.opener, key.acceptor):
        known = policies.get((run.points[key], run.pubkeys[end]))
        wanted = run.wanted[key].policies.get(end)
        if known is None or (wanted is not None and not topology.satisfied(wanted, known)):
            return False
    return True
