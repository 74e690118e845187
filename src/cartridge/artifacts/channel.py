"""What a way to come by a program is: one Protocol, tried in the order a cartridge writes them.

A channel fills the folder it is given or says in one line why it cannot (`Unserved`); it never touches the rest of
the store, and what it delivers is checked, digested and recorded by `making`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from cartridge.artifacts.pins import Lock, Pin
    from cartridge.artifacts.receipt import Made
    from cartridge.artifacts.sources import Sources
    from cartridge.model.artifact import Artifact, Channel


class Unserved(Exception):  # noqa: N818 - an answer of a channel, not an error of ours: it never leaves this package
    """Why a channel cannot serve, in one line.

    Attributes:
        reason: a sentence without a full stop.
        resolution: what would help, in the imperative, or "".
        status: the HTTP status behind it, or 0.
        is_by_nature: the channel has nothing for this platform, now or ever.
    """

    def __init__(self, reason: str, *, resolution: str = "", status: int = 0, is_by_nature: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.resolution, self.status, self.is_by_nature = reason, resolution, status, is_by_nature


class Job(Struct, frozen=True):
    """One artifact to be had through one channel.

    Attributes:
        name: the artifact.
        declaration: what its cartridge says.
        channel: the entry of its `channels` that is tried; None for the Go toolchain.
        pin: what the lock says this channel must deliver.
        platform: what it must run on.
        lock: the whole lock, for what the channel itself needs (the Go toolchain).
        sources: the store and the rest.
    """

    name: str
    declaration: Artifact
    channel: Channel | None
    pin: Pin
    platform: str
    lock: Lock
    sources: Sources

    @property
    def step(self) -> str:
        """The name its progress is recorded under."""
        return f"artifact/{self.name}"


class Maker(Protocol):
    """A channel that can fill a folder. Passes tests/conformance/test_channel.py."""

    def make(self, job: Job, folder: Path, scratch: Path) -> Made:
        """Put the artifact into the empty `folder`; `scratch` is there to work in and goes afterwards.

        Raises:
            Unserved: with the reason.
            MissingError: `artifact-digest-mismatch`, what came is not what is pinned: no other channel is tried.
        """

    def pin(self, job: Job) -> Pin:
        """Return what the lock shall say from now on; `job.pin` is what it says, empty where nothing.

        Raises:
            Unserved: it cannot be found out here and now.
        """
