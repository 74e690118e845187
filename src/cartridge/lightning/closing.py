"""Closes channels: by agreement of both ends, by force where one is gone; until everybody has forgotten them.

A killed run is taken up: what is being closed is no channel any more, but a graph that holds it still says so, and a
block helps. Never closes what it was not handed.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from cartridge.errors import ApplyError, UnknownVerdictError
from cartridge.lightning import opening
from cartridge.lightning.matching import Closing
from cartridge.lightning.nodes.node import Node
from cartridge.lightning.observation import look_at_graph
from cartridge.lightning.run import Run
from cartridge.probes.wait import Patience, until

FORCED = 6
"""Blocks after which lnd believes that the other end has closed a channel by force, however large it was."""
AGREE = 30.0
"""Seconds two ends get to agree on a closing transaction; payments under way are finished first."""
FORGET = 15.0
"""Seconds a graph gets to forget what somebody else closed."""


def close(run: Run, channels: Collection[Closing]) -> None:
    """Close channels, confirm that with as few blocks as it takes, and return once no node lists or knows them.

    Raises:
        ApplyError: `close-refused`, an end did not agree and nobody allowed force.
        UnknownVerdictError: `wait-timeout`.
    """
    if not channels:
        return
    with run.recorder.step("network/close", f"channels: closing {len(channels)}"):
        _ripen(run, channels)
        opening.connect_pairs(run, {(one.closer, one.peer) for one in channels if one.peer})
        by_force = run.everywhere(partial(_close, run), channels)
        run.producer.mine(FORCED if any(by_force) else 1)
        _forgotten(run, {one.channel.point for one in channels}, run.patience)


def forget(run: Run, points: Collection[str]) -> None:
    """Mine, so that channels which somebody closed are closed for everybody."""
    if not points:
        return
    with run.recorder.step("network/forget", "graph: forgetting closed channels") as step:
        run.producer.mine(FORCED)  # whoever closed it may have done so by force
        try:
            _forgotten(run, points, _brief(run, FORGET))
        except UnknownVerdictError:
            step.note = "some nodes still know them"  # of an end whose data is lost; they forget it in two weeks


def _ripen(run: Run, channels: Collection[Closing]) -> None:
    """Confirm what is still being opened: it cannot be closed before."""
    if missing := max(one.channel.confirmations_missing for one in channels):
        run.producer.mine(missing)


def _close(run: Run, one: Closing) -> bool:
    """Close a channel and return whether it took force."""
    node, point = run.handles.nodes[one.closer], one.channel.point
    forcibly = partial(node.close, point, force=True)
    if not one.peer:
        _insist(run, one, forcibly, run.patience)
        return True
    try:
        _insist(run, one, partial(node.close, point), _brief(run, AGREE))
    except UnknownVerdictError as error:
        if run.former.force:
            _insist(run, one, forcibly, run.patience)
            return True
        raise ApplyError(
            f"`{one.closer}` and `{one.peer}` do not agree to close `{one.name}`",
            code="close-refused",
            details=error.details,
            resolution="settle what is under way over it, or close it by force with `cartridge up --force-close`",
        ) from error
    return False


def _insist(run: Run, one: Closing, close_it: partial[str], patience: Patience) -> None:
    node, point = run.handles.nodes[one.closer], one.channel.point

    def done() -> bool:
        if _lists(node, point):
            close_it()
        return True

    until(done, f"`{one.name}` to close", patience, expected=(ApplyError,))


def _forgotten(run: Run, points: Collection[str], patience: Patience) -> None:
    def ignorant(node: Node) -> None:
        def knows_none() -> bool:
            known = {point for point, _ in look_at_graph(node)} | {one.point for one in node.channels()}
            return known.isdisjoint(points)

        until(knows_none, f"`{node.name}` to forget closed channels", patience)

    run.everywhere(ignorant, run.handles.nodes.values())


def _lists(node: Node, point: str) -> bool:
    return any(one.point == point for one in node.channels())


def _brief(run: Run, seconds: float) -> Patience:
    return run.patience.at_most(min(seconds, run.patience.left() / 2))
