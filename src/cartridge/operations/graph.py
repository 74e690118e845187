"""`network graph`: the network to look at, in a terminal or as a picture; with balances of now where it is up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cartridge.errors import InputError, MissingError
from cartridge.operations.access import files, grip
from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen
from cartridge.operations.results.topologies import DrawnChannel, DrawnNode, GraphResult
from cartridge.plan.state import State

if TYPE_CHECKING:
    from cartridge.lightning.nodes.node import NodeChannel
    from cartridge.lightning.pictures.scene import Scene
    from cartridge.model.network import Network

FORMS = ("svg", "png")
_SATOSHI = 1_000


def graph(context: Context, *, form: str | None, to: Path | None, force: bool) -> GraphResult:
    """Return the chosen stack's network, and write a picture of it where one is asked for.

    Args:
        context: of this run.
        form: `svg`, `png` or None.
        to: where the picture goes; None for `<stack>.<form>` in the working folder.
        force: overwrite a picture that is there.

    Raises:
        InputError: `network-missing`, the stack has none; `file-exists`; what resolving raises.
        CartridgeError: what nodes raise.
    """
    from cartridge.lightning.pictures import layout, scene, terminal

    state = _up(context)
    name, implementations, channels = _live(context, state) if state else _written(context)
    names = list(implementations)
    places = {node: place for place, node in enumerate(names)}
    edges = [
        scene.Edge(places[one.opener], places[one.acceptor], one.capacity, one.local, one.active) for one in channels
    ]
    at = layout.places(len(names), [(edge.opener, edge.acceptor) for edge in edges])
    path = ""
    if form is not None:
        picture = to or Path(f"{name}.{form}")
        _draw(picture, form, scene.scene(name, names, edges, at=at, live=state is not None), force=force)
        path = str(picture)
    totals: Counter[str] = Counter(dict.fromkeys(names, 0))
    for one in channels:
        totals[one.opener] += one.local
        totals[one.acceptor] += one.remote
    nodes = tuple(
        DrawnNode(node, implementations[node], round(x, 4), round(y, 4)) for node, (x, y) in zip(names, at, strict=True)
    )
    text = "\n".join(filter(None, (terminal.graph(names, edges, at), terminal.bars(names, edges))))
    return GraphResult(name, state is not None, nodes, tuple(channels), text, path, dict(totals))


def _up(context: Context) -> State | None:
    """Return the state of the stack that is meant, if it is up; the documents tell the rest."""
    try:
        state = chosen(context)
    except MissingError as error:
        if error.code != "no-stack":
            raise
        return None
    return state if state.ready else None


def _live(context: Context, state: State) -> tuple[str, Mapping[str, str], list[DrawnChannel]]:
    from concurrent.futures import ThreadPoolExecutor

    nodes = grip.nodes(context, state)
    if not nodes:
        raise _missing(state.name)
    with ThreadPoolExecutor(min(16, len(nodes))) as pool:
        infos = list(pool.map(lambda node: node.info(), nodes.values()))
        lists = list(pool.map(lambda node: node.channels(), nodes.values()))
    names = {info.pubkey: name for name, info in zip(nodes, infos, strict=True)}
    found = [
        _drawn(opener, names[channel.peer], channel)
        for opener, channels in zip(nodes, lists, strict=True)
        for channel in sorted(channels, key=lambda one: (one.pending, one.scid, one.point))
        if channel.initiator and channel.peer in names
    ]
    return state.name, {name: state.components[name].kind for name in nodes}, found


def _drawn(opener: str, acceptor: str, channel: NodeChannel) -> DrawnChannel:
    # what the opener pays for the commitment counts as its own
    return DrawnChannel(
        opener,
        acceptor,
        channel.capacity,
        channel.capacity - channel.remote,
        channel.remote,
        channel.active,
        channel.private,
    )


def _written(context: Context) -> tuple[str, Mapping[str, str], list[DrawnChannel]]:
    from cartridge.lightning.topology import pushed

    stack = context.resolved()
    network: Network | None = stack.network
    if network is None:
        raise _missing(stack.name)
    channels = [
        DrawnChannel(
            channel.from_,
            channel.to,
            channel.capacity // _SATOSHI,
            channel.capacity // _SATOSHI - pushed(channel),
            pushed(channel),
            active=True,
            private=channel.private,
        )
        for channel in network.channels
    ]
    return stack.name, {name: node.implementation for name, node in network.nodes.items()}, channels


def _draw(path: Path, form: str, scene: Scene, *, force: bool) -> None:
    from cartridge.lightning.pictures.png import png
    from cartridge.lightning.pictures.svg import svg

    content = png(scene) if form == "png" else svg(scene).encode()
    files.write(path, content, force=force, resolution="overwrite it with `--force`, or use `--to`")


def _missing(name: str) -> InputError:
    return InputError(
        f"`{name}` has no Lightning network", code="network-missing", resolution="write a `network` block into it"
    )
