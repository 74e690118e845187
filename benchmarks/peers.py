"""The programs we are measured beside, through our own store: pinned for the length of a run, named with versions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cartridge.artifacts import lock as locks
from cartridge.artifacts import toolchain
from cartridge.artifacts.install import ensure
from cartridge.artifacts.installed import Installed
from cartridge.artifacts.lock import Wanted
from cartridge.artifacts.pins import Lock
from cartridge.model.artifact import Artifact, DebianChannel, PathChannel
from cartridge.operations.access import programs
from cartridge.operations.access.context import Context, Options

COMPOSE = "docker-compose"

_DECLARED = {
    COMPOSE: Artifact(
        binaries=(COMPOSE,),
        channels=(
            PathChannel(channel="path"),
            DebianChannel(channel="debian", suite="sid", package=COMPOSE, moved="signed"),
        ),
    ),
}


@dataclass(frozen=True)
class Programs:
    """Programs of the shipped stack by artifact, on this machine."""

    installed: dict[str, Installed]

    def path(self, artifact: str, binary: str | None = None) -> Path:
        """Return the path of a program."""
        return self.installed[artifact].binaries[binary or artifact]


def shipped() -> Programs:
    """Return the programs of `lightning-pair`, made first where the store has them not."""
    context = Context.open(Options(stack="lightning-pair"), "bench")
    try:
        return Programs(dict(programs.ensure(context, context.resolved())))
    finally:
        context.close()


def peer(name: str) -> Installed:
    """Return one of the programs we are measured beside."""
    context = Context.open(Options(stack="lightning-pair"), "bench")
    try:
        sources = programs.sources(context)
        wanted = {name: _DECLARED[name], "go": toolchain.GO_DECLARATION}
        pinned, _ = locks.update(Lock(), Wanted(wanted), sources)
        return ensure(name, _DECLARED[name], pinned, sources)
    finally:
        context.close()
