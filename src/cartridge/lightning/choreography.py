"""From running nodes to a network as written: channels active, known everywhere with both policies, and proven.

Each step looks before it acts, so a run that was killed anywhere is taken up where it stopped, and a network that
is as written is left alone. The split of a channel is never spoilt: what a probe pays comes back.
Closes only what it opened itself and nobody asks for any more. Never starts, stops or configures a node.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from cartridge.journal.recorder import Recorder
from cartridge.lightning import balancing, closing, gossip, opening, proof
from cartridge.lightning.impossible import refuse_impossible
from cartridge.lightning.matching import NOTHING, Closing, Former, stale
from cartridge.lightning.planning import NetworkPlan, plan_network
from cartridge.lightning.run import Handles, Run
from cartridge.lightning.topology import ChannelKey
from cartridge.model.network import Network
from cartridge.plan.change import Change
from cartridge.probes.wait import Patience


class Raised(Struct, frozen=True):
    """What was done: one change for each channel, and the points of all channels by their names."""

    changes: tuple[Change, ...]
    points: Mapping[str, str]


def raise_network(
    network: Network, handles: Handles, recorder: Recorder, patience: Patience, *, former: Former = NOTHING
) -> Raised:
    """Make the network as written and return once it is.

    Args:
        network: what is wanted.
        handles: what runs; every node of the network is active.
        recorder: is told the steps `network/…`.
        patience: how long all of it may take.
        former: what is known of the time before, where the network was up already.

    Raises:
        InputError: `network-impossible`, lnd could never be like that.
        ApplyError: `close-refused`, two ends did not agree to close a channel.
        PaymentError: `payment-failed`, a probe did not pass.
        CartridgeError: what chain and nodes raise.
    """
    refuse_impossible(network)
    with _pool(handles, len(network.channels)) as pool:
        return _all(Run(network, handles, recorder, patience, pool, former))


def let_go(
    leaving: Collection[str],
    network: Network,
    handles: Handles,
    recorder: Recorder,
    patience: Patience,
    *,
    force: bool = False,
) -> int:
    """Close the channels of nodes that are about to go, while they still run, and return how many.

    Channels whose other end does not run are left: what stays of them is closed by `raise_network`.

    Args:
        leaving: names of nodes.
        network: what is wanted; the leaving nodes may be in it or not.
        handles: what runs, leaving nodes included.
        recorder: is told the steps `network/…`.
        patience: how long all of it may take.
        force: close by force what the two ends cannot agree to close.

    Raises:
        ApplyError: `close-refused`.
        CartridgeError: what chain and nodes raise.
    """
    with _pool(handles, 0) as pool:
        run = Run(network, handles, recorder, patience, pool, Former(force=force))
        seen = run.look()
        names = {one.pubkey: name for name, one in seen.items()}
        going = [
            Closing(channel.memo or channel.point, name, names[channel.peer], channel)
            for name, one in seen.items()
            for channel in one.channels
            if channel.initiator and channel.peer in names and not {name, names[channel.peer]}.isdisjoint(leaving)
        ]
        closing.close(run, going)
        if not going:
            closing.forget(run, stale(seen))
        return len(going)


def _pool(handles: Handles, channels: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(4, min(64, 2 * len(handles.nodes) + channels)))


def _all(run: Run) -> Raised:
    """Do what is missing, in order."""
    seen = run.observe()
    plan = plan_network(run.network, seen, run.former)
    if not plan.is_empty:
        closing.close(run, plan.close)
        if not plan.close:
            closing.forget(run, plan.forget)
        opening.connect(run, plan)
        opening.open_channels(run, plan, opening.fund(run, plan, seen))
        opening.confirm(run, plan)
        gossip.set_policies(run, plan)
        balancing.balance(run, plan)
        gossip.spread(run)
        _prove_all(run, plan)
    if len(plan.open) < len(run.wanted):  # a new one forwards from the start
        gossip.await_return(run)
    return Raised(plan.changes, {str(key): run.points[key] for key in run.wanted})


def _prove_all(run: Run, plan: NetworkPlan) -> None:
    """Send a payment each way over each channel and see that its split is as it was."""
    if run.network.probe == "none":
        return
    touched = [*(key for key, _ in plan.open), *plan.confirm]
    with run.recorder.step("network/probe", "channels: paying both ways") as step:
        run.everywhere(lambda one: _mend(run, one), plan.mend)
        each = run.everywhere(lambda one: opening.prove(run, one), touched)
        step.note = f"{sum(each)} payments"


def _mend(run: Run, key: ChannelKey) -> None:
    ends = (run.handles.nodes[key.opener], run.handles.nodes[key.acceptor])
    proof.pay_back(ends, run.points[key], run.patience)
