"""What each implementation of Lightning can do, as data: chains, targets, features, and pairs known not to work.

`check_compatibility` holds documents to it, and docs/reference/compatibility.md is made from it. An implementation
that has no row here is a cartridge author's own, of which nothing is known and so nothing refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from msgspec import Struct, field

from cartridge.model.channel_types import STATIC_REMOTE_KEY, ChannelType

CHAINS = ("bitcoind", "btcd")
"""The components that make a chain."""
TARGETS = ("process", "docker")

FEATURES: Mapping[str, str] = {
    "push": "a part of the capacity given to the other end",
    "private": "channels that are not announced",
    "zero_conf": "channels used before they are confirmed",
    "type": "a chosen type of channel",
    "base_fee": "a base fee for each channel",
    "fee_rate": "a fee rate for each channel",
    "time_lock_delta": "a time lock for each channel",
    "min_htlc": "a least amount for each channel",
    "max_htlc": "a greatest amount for each channel",
    "keysend": "payments without an invoice",
    "parts": "payments in parts",
    "hold_invoices": "payments that are held",
    "close": "closing, by agreement and by force",
}
"""Each feature and what it is; the first nine are keys of a channel and its policies, the others verbs."""


class Abilities(Struct, frozen=True):
    """What one implementation can do here.

    Attributes:
        title: its name as people write it.
        versions: of it, and of the chain's daemon beside it, that are taken.
        chains: the components that may make its chain.
        targets: where it runs.
        types: of channels that can be chosen.
        lacks: by feature, what to do instead.
        tested: how much of it was seen to work.
    """

    title: str
    versions: str
    chains: frozenset[str] = frozenset({"bitcoind"})
    targets: frozenset[str] = frozenset(TARGETS)
    types: tuple[str, ...] = ()
    lacks: Mapping[str, str] = field(default_factory=dict)
    tested: str = "on every change"


_WAIT = "leave it out: the channel is confirmed in a block that is mined at once"
_HOOK = f"{_WAIT}; its acceptor would need a plugin of its own that says yes"
_TYPE = "leave it out: the two ends agree on the newest type both know"
_HOLD = "let an lnd node make such invoices"

MATRIX: Mapping[str, Abilities] = {
    "lnd": Abilities(
        title="lnd",
        versions="0.21, with bitcoind 28 to 31 or btcd 0.26",
        chains=frozenset(CHAINS),
        types=get_args(ChannelType),
    ),
    "ldk": Abilities(
        title="LDK",
        versions="ldk-node 0.7, with bitcoind 28 to 31",
        types=("anchors",),
        lacks={
            "min_htlc": "leave it out: ldk-node has no setting for it",
            "max_htlc": "leave it out: ldk-node has no setting for it",
        },
    ),
    "cln": Abilities(
        title="Core Lightning",
        versions="26.06, with bitcoind 28 to 31",
        targets=frozenset({"process"}),
        lacks={
            "zero_conf": _HOOK,
            "type": _TYPE,
            "time_lock_delta": "bind `cltv_delta` of cartridge `lightning-cln`: a node has one for all its channels",
            "hold_invoices": _HOLD,
        },
        tested="where `lightningd` is installed",
    ),
    "eclair": Abilities(
        title="eclair",
        versions="0.13 and 0.14, with the bitcoind they ask for (29 to 31)",
        targets=frozenset({"process"}),
        lacks={
            "zero_conf": _WAIT,
            "type": _TYPE,
            "time_lock_delta": "bind `eclair_cltv_delta` of cartridge `lightning-eclair`: a node has one for all",
            "min_htlc": "leave it out: eclair has one for all channels of a node",
            "max_htlc": "leave it out: eclair has one for all channels of a node",
            "hold_invoices": _HOLD,
        },
        tested="never: its answers are parsed in tests, no eclair was ever run",
    ),
}
"""By the word that stands at a node's `implementation`."""


class Impossible(Struct, frozen=True):
    """Why no two nodes have such a channel, and what to do about it."""

    brief: str
    fix: str


def impossible_type(kind: str | None, *, private: bool, zero_conf: bool) -> Impossible | None:
    """Return what is wrong with a type of a channel, whoever its ends are."""
    if kind == "taproot" and not private:
        return Impossible(
            "a channel of type `taproot` cannot be announced: the network has no announcement for it yet",
            "write `private: true` beside it, or another type",
        )
    if kind == STATIC_REMOTE_KEY and zero_conf:
        return Impossible(
            f"a channel of type `{STATIC_REMOTE_KEY}` cannot be used before it is confirmed",
            "take type `anchors`, or leave the type out",
        )
    return None


class Pair(Struct, frozen=True):
    """Two implementations that do not get on: who opens, who accepts, at which feature, and who says so."""

    opener: str
    acceptor: str
    feature: str
    brief: str
    source: str


PAIRS = (
    Pair("cln", "lnd", "zero_conf", "lnd does not take the channel", "ElementsProject/lightning#6208"),
    Pair("cln", "eclair", "keysend", "eclair wants 22 blocks or more at the end", "sim-ln, README.md"),
    Pair("cln", "eclair", "close", "they do not agree on a fee; closing by force works", "Polar, clightningService.ts"),
)
"""Known from others' reports; those of channels are refused, the others are told in the reference."""
