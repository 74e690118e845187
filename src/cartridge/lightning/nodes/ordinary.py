"""What a node does whose implementation has ordinary channels alone: it says so, and opens nothing else. Pure."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator

from cartridge.lightning.nodes.node import Guest, Opening, not_supported

_EARLY = "channels used before they are confirmed"


def refuse_special(name: str, implementation: str, opening: Opening) -> None:
    """Raise ApplyError (`not-supported`) where a channel is to be used unconfirmed, or to be of a chosen type."""
    if opening.zero_conf:
        raise not_supported(name, implementation, _EARLY)
    if opening.type is not None:
        raise not_supported(name, implementation, "choice of a channel's type")


@contextlib.contextmanager
def nobody_welcome(name: str, implementation: str, guests: Collection[Guest]) -> Iterator[bool]:
    """Do nothing for no guests, else raise ApplyError (`not-supported`)."""
    if guests:
        raise not_supported(name, implementation, _EARLY)
    yield False
