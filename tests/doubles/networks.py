"""Network blocks for tests, made from what a user would write."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import pairwise

from cartridge.model.network import Network

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy")


def line(count: int, **channel: object) -> Network:
    """Return a line of `count` nodes, each with a channel to the next."""
    names = NAMES[:count]
    return network(
        names,
        *(
            {"from": here, "to": there, "capacity": "10_000_000 sat", "push": "50%", **channel}
            for here, there in pairwise(names)
        ),
    )


def network(
    nodes: Iterable[str], *channels: Mapping[str, object], balances: Mapping[str, str] | None = None, **rest: object
) -> Network:
    """Return a network of lnd nodes with these channels, written as a user writes them."""
    each = {name: {"implementation": "lnd"} for name in nodes}
    for name, balance in (balances or {}).items():
        each[name]["balance"] = balance
    block = {"nodes": each, "channels": channels, **rest}
    return Network.model_validate_json(json.dumps(block))
