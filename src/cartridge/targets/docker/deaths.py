"""Containers of a stack that end, as Docker reports it, from the moment the watch begins. Judges nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cartridge.targets.docker import labels
from cartridge.targets.docker.client import refused

if TYPE_CHECKING:
    from docker import APIClient


@dataclass(frozen=True, slots=True)
class Death:
    """A container that ended: its id, whose it was, its exit status, whether it was meant to end."""

    identity: str
    component: str
    status: int
    one_shot: bool


class Deaths:
    """The watch on one stack; ends with `close`.

    Args:
        client: the Engine.
        stack: the stack's id.
    """

    def __init__(self, client: APIClient, stack: str) -> None:
        chosen = {**labels.of_stack(stack), "event": "die", "type": "container"}
        with refused("report what ends"):
            self._stream = client.events(decode=True, filters=chosen)

    def watch(self, told: Callable[[Death], None]) -> None:
        """Begin to tell of each death, from a thread of its own."""
        threading.Thread(target=self._follow, args=(told,), name="deaths", daemon=True).start()

    def close(self) -> None:
        """End the watch."""
        self._stream.close()

    def _follow(self, told: Callable[[Death], None]) -> None:
        for event in self._stream:
            marks = event["Actor"]["Attributes"]
            told(
                Death(
                    event["Actor"]["ID"],
                    marks.get(labels.COMPONENT, ""),
                    int(marks.get("exitCode", 0)),
                    marks.get(labels.ONE_SHOT) == "true",
                )
            )
