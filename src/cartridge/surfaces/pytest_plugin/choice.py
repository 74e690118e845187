"""Of which network a test wants a fork: what its marker says, else the command line, else the configuration."""

from __future__ import annotations

import pytest
from msgspec import Struct

from cartridge.errors import InputError


class Choice(Struct, frozen=True):
    """A network to fork; "" leaves it to the project: its only stack, its own target, just come up."""

    stack: str = ""
    target: str = ""
    snapshot: str = ""


KNOWN = ("stack", "target", "snapshot")


def choice_of(config: pytest.Config, node: pytest.Item | pytest.Collector) -> Choice:
    """Return what a test, module or session wants.

    Raises:
        InputError: `test-marker-wrong`, its marker cannot be understood.
    """
    marker = node.get_closest_marker("cartridge")
    said: dict[str, str] = dict(marker.kwargs) if marker else {}
    if marker and (marker.args or not said.keys() <= set(KNOWN) or not all(isinstance(v, str) for v in said.values())):
        raise InputError(
            "this `cartridge` marker cannot be understood",
            code="test-marker-wrong",
            resolution=f"write {', '.join(f'`{name}=…`' for name in KNOWN)} as text, by name",
        )
    chosen = {
        name: said.get(name) or config.getoption(f"cartridge_{name}") or str(config.getini(f"cartridge_{name}"))
        for name in KNOWN
    }
    return Choice(**chosen)
