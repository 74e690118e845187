"""A chain's blocks on disk, one in a line as hex, the first after genesis first: for a daemon that forgets when killed.

btcd writes its newest blocks to its index every five minutes and at its end (database/ffldb). Whoever makes blocks
writes them here at once; whoever starts btcd again gives it back what it has lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from cartridge.lightning.chains.blocks import hash_of


class Ledger:
    """The blocks of one chain.

    Args:
        path: the file; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def after(self, height: int) -> Sequence[str]:
        """Return the blocks above `height`, lowest first."""
        return self._lines()[height:]

    def follow(self, hash_at: Callable[[int], str | None], blocks: Callable[[range], Sequence[str]], tip: int) -> None:
        """Take in what is new on the chain, and forget what is not on it any more.

        Args:
            hash_at: returns the hash of the block at a height, None above the tip.
            blocks: returns blocks as hex by their heights.
            tip: the newest height.
        """
        known = self._lines()
        kept = len(known)
        while kept and hash_at(kept) != hash_of(bytes.fromhex(known[kept - 1])):
            kept -= 1
        fresh = blocks(range(kept + 1, tip + 1))
        if kept == len(known):
            with self._path.open("a", encoding="ascii") as file:
                file.writelines(f"{block}\n" for block in fresh)
            return
        new = self._path.with_suffix(".new")
        new.write_text("".join(f"{block}\n" for block in (*known[:kept], *fresh)), encoding="ascii")
        os.replace(new, self._path)

    def _lines(self) -> list[str]:
        """Return every whole line; one that a killed run has begun is none."""
        if not self._path.exists():
            return []
        text = self._path.read_text(encoding="ascii")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self._path.write_text(whole, encoding="ascii")
        return whole.splitlines()
