"""Copies of the data of a stack's processes, which stand still by the guardian's hand. Passes the copiers' tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cartridge.targets.copying import Skip, copy_tree
from cartridge.targets.process.client import Guardian
from cartridge.targets.process.layout import Layout


class ProcessCopier:
    """The copier of one stack.

    Args:
        layout: its folders.
        guardian: its guardian.
    """

    def __init__(self, layout: Layout, guardian: Guardian) -> None:
        self._layout, self._guardian = layout, guardian

    def freeze(self, components: Sequence[str], seconds: float) -> None:
        """Have components stand still and return once they do.

        Raises:
            ApplyError: `component-not-running`.
        """
        self._guardian.freeze(components, seconds)

    def thaw(self) -> frozenset[str]:
        """Let everything go on; return the components that stood still until now."""
        return self._guardian.thaw()

    def copy(self, component: str, to: Path, skip: Skip) -> None:
        """Copy a component's data folder into `to`."""
        copy_tree(self._layout.data(component), to, skip)
