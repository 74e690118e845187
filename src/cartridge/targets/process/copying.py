"""Copies of the data of a stack's processes, which stand still by the guardian's hand. Passes the copiers' tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cartridge.clock import Clock
from cartridge.targets.copying import Ahead, Skip, copy_ahead, copy_tree
from cartridge.targets.process.client import Guardian
from cartridge.targets.process.layout import Layout


class ProcessCopier:
    """The copier of one stack.

    Args:
        layout: its folders.
        guardian: its guardian.
        clock: tells what has not changed for a while.
    """

    def __init__(self, layout: Layout, guardian: Guardian, clock: Clock) -> None:
        self._layout, self._guardian, self._clock = layout, guardian, clock
        self._ahead: dict[Path, Ahead] = {}

    def freeze(self, components: Sequence[str], seconds: float) -> None:
        """Have components stand still and return once they do.

        Raises:
            ApplyError: `component-not-running`.
        """
        self._guardian.freeze(components, seconds)

    def thaw(self) -> frozenset[str]:
        """Let everything go on; return the components that stood still until now."""
        return self._guardian.thaw()

    def prepare(self, component: str, to: Path, skip: Skip) -> None:
        """Copy ahead what seems to rest."""
        self._ahead[to] = copy_ahead(self._layout.data(component), to, skip, self._clock.now().timestamp())

    def copy(self, component: str, to: Path, skip: Skip) -> None:
        """Copy a component's data folder into `to`."""
        copy_tree(self._layout.data(component), to, skip, self._ahead.pop(to, None))
