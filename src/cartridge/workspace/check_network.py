"""What can be wrong with a stack's Lightning network: a tuple of small checks, each yielding all of its kind. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from cartridge.errors import Finding
from cartridge.model.network import Channel, Network
from cartridge.model.units import Share, format_amount
from cartridge.workspace.check_compatibility import COMPATIBILITY_CHECKS
from cartridge.workspace.check_stack import StackCheck
from cartridge.workspace.expand import AT
from cartridge.workspace.select import Assembly
from cartridge.workspace.source import Path, Source
from cartridge.workspace.validate import suggestion

LEAST_CAPACITY = 20_000_000
"""Millisatoshi; below 20_000 sat implementations refuse a channel.

Source: lnd, `MinChanFundingSize`.
"""

LONGEST_ALIAS = 32
"""Bytes of UTF-8 (BOLT 7, node_announcement)."""


def _channels(assembly: Assembly, network: Network) -> Iterator[tuple[Path, Channel]]:
    """Yield the channels written by hand, and one of those that are generated, which differ only in their ends."""
    written = assembly.stack.document.network
    count = len(written.channels) if written else 0
    for index, channel in enumerate(network.channels[:count]):
        yield ("network", "channels", index), channel
    for channel in network.channels[count : count + 1]:
        yield AT, channel


def _node(assembly: Assembly, name: str) -> Path:
    """Return where a node is written; generated ones all stand at one place."""
    written = assembly.stack.document.network
    return ("network", "nodes", name) if written and name in written.nodes else AT


def implementations(assembly: Assembly, network: Network) -> Iterator[Finding]:
    """Every node's implementation is run by a component of the stack's cartridges, and by one alone."""
    if not assembly.is_whole:
        return
    known: dict[str, str] = {}
    path: Path
    for file in assembly.chosen.values():
        for kind, component in file.document.components.items():
            if component.per != "node" or component.implementation is None:
                continue
            other = known.setdefault(component.implementation, file.identity)
            if other != file.identity:
                brief = f"`{component.implementation}` is implemented by a component of `{other}` already"
                path = ("components", kind, "implementation")
                yield file.source.finding("implementation-twice", brief, path, resolution="use one of the cartridges")
    said: set[tuple[Path, str]] = set()
    for name, node in network.nodes.items():
        path = (*_node(assembly, name), "implementation")
        if node.implementation not in known and (path, node.implementation) not in said:
            said.add((path, node.implementation))  # once for all generated nodes
            brief = f"nothing in this stack runs the implementation `{node.implementation}` of node `{name}`"
            resolution = suggestion(node.implementation, known) or "use a cartridge that implements it"
            yield assembly.stack.source.finding("implementation-unknown", brief, path, resolution=resolution)


def ends(assembly: Assembly, network: Network) -> Iterator[Finding]:
    """A channel goes from one node to another; its policies are those of its ends."""
    source = assembly.stack.source
    for path, channel in _channels(assembly, network):
        for key, name in (("from", channel.from_), ("to", channel.to)):
            if name not in network.nodes:
                yield _unknown(source, name, (*path, key), network)
        if channel.from_ == channel.to:
            brief = f"a channel cannot go from `{channel.to}` to itself"
            yield source.finding("channel-to-itself", brief, (*path, "to"), resolution="name another node")
        for name in channel.policies:
            at = (*path, "policies", name)
            if name not in network.nodes:
                yield _unknown(source, name, at, network, key=True)
            elif name not in {channel.from_, channel.to}:
                brief = f"`{name}` is no end of the channel from `{channel.from_}` to `{channel.to}`"
                resolution = f"write `{channel.from_}` or `{channel.to}`"
                yield source.finding("policy-owner-unknown", brief, at, key=True, resolution=resolution)


def _unknown(source: Source, name: str, path: Path, network: Network, *, key: bool = False) -> Finding:
    resolution = suggestion(name, network.nodes)
    return source.finding("node-unknown", f"there is no node `{name}`", path, key=key, resolution=resolution)


def amounts(assembly: Assembly, network: Network) -> Iterator[Finding]:
    """A channel is large enough, and no more is pushed than it holds."""
    source = assembly.stack.source
    for path, channel in _channels(assembly, network):
        if channel.capacity < LEAST_CAPACITY:
            brief = f"a channel of {format_amount(channel.capacity)} is too small to be opened"
            resolution = f"write at least `{format_amount(LEAST_CAPACITY)}`"
            yield source.finding("capacity-too-small", brief, (*path, "capacity"), resolution=resolution)
        if channel.capacity % 1_000:
            brief = f"a capacity is a whole number of satoshi, but this is {format_amount(channel.capacity)}"
            yield source.finding("capacity-not-whole", brief, (*path, "capacity"), resolution="round it")
        pushed = channel.push.of(channel.capacity) if isinstance(channel.push, Share) else channel.push
        if pushed > channel.capacity:
            brief = f"{format_amount(pushed)} cannot be pushed over a channel of {format_amount(channel.capacity)}"
            yield source.finding("push-over-capacity", brief, (*path, "push"), resolution="push less, or a share")


def policies(assembly: Assembly, network: Network) -> Iterator[Finding]:
    """The least an end forwards is not above the most."""
    for path, channel in _channels(assembly, network):
        for name, policy in channel.policies.items():
            least, most = policy.min_htlc, policy.max_htlc
            at = (*path, "policies", name)
            if least is not None and most is not None and least > most:
                brief = f"`min_htlc` of {format_amount(least)} is above `max_htlc` of {format_amount(most)}"
                yield assembly.stack.source.finding("policy-bounds", brief, (*at, "min_htlc"), resolution="swap them")
            elif most is not None and most > channel.capacity:
                brief = f"`max_htlc` of {format_amount(most)} is more than the channel holds"
                resolution = f"write at most `{format_amount(channel.capacity)}`"
                yield assembly.stack.source.finding("policy-bounds", brief, (*at, "max_htlc"), resolution=resolution)


def aliases(assembly: Assembly, network: Network) -> Iterator[Finding]:
    """What a node announces as its name fits into the announcement."""
    for name, node in network.nodes.items():
        size = len((node.alias or name).encode())
        if size > LONGEST_ALIAS:
            given = node.alias is not None
            brief = f"`{node.alias or name}` takes {size} bytes, but an alias has at most {LONGEST_ALIAS}"
            path: Path = ("network", "nodes", name, "alias") if given else ("network", "nodes", name)
            resolution = "shorten it" if given else "give the node an `alias` that is shorter"
            yield assembly.stack.source.finding("alias-too-long", brief, path, key=not given, resolution=resolution)


NETWORK_CHECKS = (implementations, ends, amounts, policies, aliases, *COMPATIBILITY_CHECKS)


def network(assembly: Assembly) -> Iterator[Finding]:
    """Every check of the network, where the stack has one."""
    block = assembly.stack.network
    if block is not None:
        for check in NETWORK_CHECKS:
            yield from check(assembly, block)


CHECK: StackCheck = network
