"""From what a file says to a network that comes up here: names, sizes and limits are made to fit, and each change said.

The same input gives the same network. Every note is a sentence about what differs from the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from cartridge.errors import InputError
from cartridge.lightning.foreign.imported import (
    Imported,
    ImportedChannel,
    ImportedNode,
    ImportedPolicy,
    counted,
)
from cartridge.lightning.impossible import LARGEST, SHORTEST_DELTA, SMALLEST

STANDARD = 1_000_000
"""Satoshis of a channel whose file does not say what it holds."""
LONGEST_NAME, LONGEST_ALIAS = 40, 32
"""Characters; bytes."""
LONGEST_DELTA = 2016
"""Blocks a payment may be asked to leave."""
HIGHEST_RATE = 1_000_000
"""Parts per million."""


class Wish(Struct, frozen=True):
    """What the user wants of an import.

    Attributes:
        most: nodes to keep.
        implementation: runs what none of `known` does.
        known: implementations that nodes may keep.
        taken: names that no node may have.
    """

    most: int
    implementation: str = "lnd"
    known: Collection[str] = ("lnd",)
    taken: Collection[str] = ()


class Fitted(Struct, frozen=True):
    """A network that comes up: nodes by name with implementation and alias, channels by names, and what changed."""

    name: str
    source: str
    nodes: Mapping[str, tuple[str, str | None]]
    channels: tuple[ImportedChannel, ...]
    notes: tuple[str, ...]


def fit(imported: Imported, wish: Wish) -> Fitted:
    """Return the network as it comes up here.

    Raises:
        InputError: `import-empty`, there is no Lightning node in it.
    """
    if not imported.nodes:
        raise InputError(
            f"there is no Lightning node in `{imported.name}`",
            code="import-empty",
            resolution="export a network that has one",
        )
    fitting = _Fitting(wish)
    whole = fitting.whole(imported)
    kept = fitting.kept(whole)
    nodes = [node for node in imported.nodes if node.key in kept]
    names = fitting.names(nodes)
    channels = tuple(
        fitting.channel(channel, names) for channel in whole.channels if {channel.opener, channel.acceptor} <= kept
    )
    named = {names[node.key]: (fitting.implementation(node), _alias(node.name, names[node.key])) for node in nodes}
    return Fitted(
        _slug(imported.name, "imported"), imported.source, named, channels, (*imported.notes, *fitting.notes())
    )


class _Fitting(Struct):
    wish: Wish
    counts: Counter[str] = field(default_factory=Counter)
    replaced: Counter[str] = field(default_factory=Counter)
    said: list[str] = field(default_factory=list)

    def whole(self, imported: Imported) -> Imported:
        """Return the network without channels that lead nowhere or back."""
        keys = {node.key for node in imported.nodes}
        good = [one for one in imported.channels if {one.opener, one.acceptor} <= keys and one.opener != one.acceptor]
        if lost := len(imported.channels) - len(good):
            self.said.append(f"left out: {counted(lost, 'channel')} to nodes that are not in the file")
        return replace(imported, channels=tuple(good))

    def kept(self, imported: Imported) -> set[str]:
        """Return the keys of the nodes that stay: the best connected one, and then whoever has most to those chosen."""
        every = [node.key for node in imported.nodes]
        if len(every) <= self.wish.most:
            return set(every)
        near: dict[str, Counter[str]] = {key: Counter() for key in every}
        for channel in imported.channels:
            near[channel.opener][channel.acceptor] += 1
            near[channel.acceptor][channel.opener] += 1
        kept: set[str] = set()
        score: Counter[str] = Counter()
        while len(kept) < self.wish.most:
            rest = [key for key in every if key not in kept]
            best = max(rest, key=lambda key: (score[key], near[key].total(), key))
            kept.add(best)
            score += near[best]
        self.said.append(
            f"kept the {self.wish.most} nodes that are best connected to each other of {len(every):_}"
            f" (`--nodes {len(every)}` keeps all)"
        )
        return kept

    def names(self, nodes: list[ImportedNode]) -> dict[str, str]:
        """Return a name for each node, by key, none twice."""
        names: dict[str, str] = {}
        taken = set(self.wish.taken)
        for place, node in enumerate(nodes, start=1):
            wanted = _slug(node.name, f"n{place}")
            name, number = wanted, 1
            while name in taken:
                number += 1
                name = f"{wanted[: LONGEST_NAME - len(str(number)) - 1].rstrip('-')}-{number}"
            taken.add(name)
            names[node.key] = name
            self.counts["renamed"] += name != node.name
        return names

    def implementation(self, node: ImportedNode) -> str:
        """Return what runs a node here."""
        if node.implementation in self.wish.known:
            return node.implementation
        if node.implementation != self.wish.implementation:
            self.replaced[node.implementation] += 1
        return self.wish.implementation

    def channel(self, channel: ImportedChannel, names: Mapping[str, str]) -> ImportedChannel:
        """Return a channel that can be opened, between names."""
        capacity = channel.capacity
        if capacity is None:
            self.counts["sized"] += 1
            capacity = STANDARD
        if not SMALLEST <= capacity <= LARGEST:
            self.counts["resized"] += 1
            capacity = min(max(capacity, SMALLEST), LARGEST)
        push, most = capacity // 2 if channel.push is None else channel.push, capacity - capacity // 20 - SMALLEST // 4
        if push > most:
            self.counts["pushed"] += 1
            push = most
        return ImportedChannel(
            names[channel.opener],
            names[channel.acceptor],
            capacity,
            push,
            channel.private,
            {names[key]: self.policy(policy, capacity) for key, policy in channel.policies.items() if key in names},
        )

    def policy(self, policy: ImportedPolicy, capacity: int) -> ImportedPolicy:
        """Return a policy that a node takes."""
        delta, rate = policy.time_lock_delta, policy.fee_rate
        least, most = policy.min_htlc, policy.max_htlc
        ceiling = capacity * 990  # millisatoshis: a hundredth is the reserve
        fitted = ImportedPolicy(
            base_fee=policy.base_fee,
            fee_rate=None if rate is None else min(rate, HIGHEST_RATE),
            time_lock_delta=None if delta is None else min(max(delta, SHORTEST_DELTA), LONGEST_DELTA),
            min_htlc=None if least is None or least > min(most or ceiling, ceiling) else least,
            max_htlc=None if most is None else min(most, ceiling),
        )
        self.counts["policies"] += fitted != policy
        return fitted

    def notes(self) -> Iterator[str]:
        """Yield what was changed so far."""
        yield from self.said
        for word, number in self.replaced.items():
            yield f"{counted(number, 'node')} ran `{word}` and will run `{self.wish.implementation}`"
        sentences = {
            "renamed": ("node", "got another name, because names are lower-case letters, digits and hyphens"),
            "sized": ("channel", f"told no capacity and will hold {STANDARD:_} sat"),
            "resized": ("channel", f"held less than {SMALLEST:_} or more than {LARGEST:_} sat and will hold that"),
            "pushed": ("channel", "gave away more than an opener can, and will give away as much as one can"),
            "policies": ("channel end", "had a policy that no node here takes, and will have the nearest one"),
        }
        for key, (thing, sentence) in sentences.items():
            if self.counts[key]:
                yield f"{counted(self.counts[key], thing)} {sentence}"


def _slug(text: str, otherwise: str) -> str:
    """Return a name as near to a text as names can be."""
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    slug = slug if not slug or slug[0].isalpha() else f"n{slug}"
    return slug[:LONGEST_NAME].strip("-") or otherwise


def _alias(text: str, name: str) -> str | None:
    """Return what a node was called, where that is something else and an alias can be it."""
    good = text != name and text.isprintable() and 0 < len(text.encode()) <= LONGEST_ALIAS
    return text if good else None
