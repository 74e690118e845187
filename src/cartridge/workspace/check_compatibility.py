"""Holds a stack's network to what its implementations can do (see `compatibility`). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cartridge.errors import Finding
from cartridge.model.network import Channel, Network
from cartridge.workspace.compatibility import CHAINS, FEATURES, MATRIX, PAIRS, Abilities, impossible_type
from cartridge.workspace.expand import AT
from cartridge.workspace.select import Assembly
from cartridge.workspace.source import Path

_POLICY = ("base_fee", "fee_rate", "time_lock_delta", "min_htlc", "max_htlc")


def chains(assembly: Assembly, network: Network) -> Iterator[Finding]:
    """A stack has one chain, and every node can follow it."""
    makers = {name: file for file in assembly.chosen.values() for name in file.document.components if name in CHAINS}
    if "btcd" not in makers:
        return
    said = False
    for name, abilities, path in _nodes(assembly, network):
        if "btcd" not in abilities.chains:
            said = True
            brief = f"{abilities.title} cannot follow a chain that btcd makes, so `{name}` cannot"
            fix = (
                "use cartridge `bitcoin-regtest` instead of `btcd-regtest`, and `lightning` instead of `lightning-btcd`"
            )
            yield assembly.stack.source.finding("chain-unsupported", brief, path, resolution=fix)
    if len(makers) > 1 and not said:
        owners = " and ".join(f"`{file.identity}`" for file in makers.values())
        brief = f"a stack has one chain, but {owners} each make one"
        fix = "with btcd use `lightning-btcd` instead of `lightning`"
        yield assembly.stack.source.finding("chain-twice", brief, ("use",), resolution=fix)


def targets(assembly: Assembly, network: Network, target: str = "") -> Iterator[Finding]:
    """Every node's implementation runs on the stack's target, or on the one given instead."""
    wanted = target or assembly.stack.document.target
    for name, abilities, path in _nodes(assembly, network):
        if wanted not in abilities.targets:
            brief = f"{abilities.title} does not run on target `{wanted}`, so `{name}` cannot"
            fix = f"take target `{min(abilities.targets)}`, or another implementation"
            yield assembly.stack.source.finding("target-unsupported", brief, path, resolution=fix)


def features(assembly: Assembly, network: Network) -> Iterator[Finding]:
    """Channels and policies ask for nothing their ends cannot do."""
    written = assembly.stack.document.network
    count = len(written.channels) if written else 0
    for index, channel in enumerate(network.channels[:count]):
        yield from _channel(assembly, network, channel, ("network", "channels", index))
        for name, policy in channel.policies.items():
            asked = [word for word in _POLICY if getattr(policy, word) is not None]
            abilities = _abilities(network).get(name)
            for word in asked if abilities else ():
                at = ("network", "channels", index, "policies", name, word)
                yield from _lacking(assembly, name, abilities, word, at)


def _channel(assembly: Assembly, network: Network, channel: Channel, path: Path) -> Iterator[Finding]:
    known = _abilities(network)
    asked = [word for word, is_asked in (("zero_conf", channel.zero_conf), ("type", channel.type)) if is_asked]
    for word in asked:
        for pair in PAIRS:
            ends = (network.nodes.get(channel.from_), network.nodes.get(channel.to))
            if word == pair.feature and tuple(one and one.implementation for one in ends) == (
                pair.opener,
                pair.acceptor,
            ):
                brief = f"`{channel.from_}` and `{channel.to}` cannot have {FEATURES[word]}: {pair.brief}"
                yield assembly.stack.source.finding(
                    "pair-unsupported", brief, (*path, word), resolution=f"leave it out; see {pair.source}"
                )
                return
        for name in dict.fromkeys((channel.from_, channel.to)):
            if name in known and word in known[name].lacks:
                yield from _lacking(assembly, name, known[name], word, (*path, word))
                break
    yield from _typed(assembly, network, channel, (*path, "type"))


def _typed(assembly: Assembly, network: Network, channel: Channel, path: Path) -> Iterator[Finding]:
    """Both ends know a type that is chosen, and it goes with what else is written."""
    if channel.type is None:
        return
    if problem := impossible_type(channel.type, private=channel.private, zero_conf=channel.zero_conf):
        yield assembly.stack.source.finding("channel-type-impossible", problem.brief, path, resolution=problem.fix)
    for name, abilities in _abilities(network).items():
        is_end = name in {channel.from_, channel.to} and "type" not in abilities.lacks
        if is_end and channel.type not in abilities.types:
            brief = f"with {abilities.title}, which runs `{name}`, there are no channels of type `{channel.type}`"
            fix = f"leave it out, or take {' or '.join(f'`{one}`' for one in abilities.types)}"
            yield assembly.stack.source.finding("feature-unsupported", brief, path, resolution=fix)
            return


def _lacking(assembly: Assembly, name: str, abilities: Abilities | None, word: str, path: Path) -> Iterator[Finding]:
    if abilities is not None and word in abilities.lacks:
        brief = f"with {abilities.title}, which runs `{name}`, there is no way here to have {FEATURES[word]}"
        yield assembly.stack.source.finding("feature-unsupported", brief, path, resolution=abilities.lacks[word])


def _abilities(network: Network) -> Mapping[str, Abilities]:
    return {name: MATRIX[node.implementation] for name, node in network.nodes.items() if node.implementation in MATRIX}


def _nodes(assembly: Assembly, network: Network) -> Iterator[tuple[str, Abilities, Path]]:
    """Yield every node of which something is known and where it is written; of generated ones the first of a kind."""
    written = assembly.stack.document.network
    generated: set[str] = set()
    for name, abilities in _abilities(network).items():
        if written and name in written.nodes:
            yield name, abilities, ("network", "nodes", name, "implementation")
        elif abilities.title not in generated:
            generated.add(abilities.title)
            yield name, abilities, (*AT, "implementation")


COMPATIBILITY_CHECKS = (chains, targets, features)
