"""A stack of small containers with a real Engine and a real Pulumi, ended whatever the test does."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cartridge import spawn
from cartridge.artifacts.installed import Installed
from cartridge.deploy.engine import Wanted
from cartridge.deploy.pulumi.engine import PulumiEngine
from cartridge.journal.recorder import Entry
from cartridge.plan.change import ChangeKind
from cartridge.workspace import settings
from tests.conformance.conftest import installed
from tests.conformance.waiting import until
from tests.integration.docker import crashing

CHILD = Path(crashing.__file__)


@dataclass
class Stack:
    """One stack and the engine on it.

    Attributes:
        folder: everything of it is in here.
        pulumi: the CLI.
        programs: what its containers run.
    """

    folder: Path
    pulumi: Path
    programs: Installed
    name: str = f"docker-tests-{os.getpid()}"

    @property
    def state(self) -> Path:
        """Its folder of state."""
        return self.folder / "state" / self.name

    def engine(self, listener: Callable[[Entry], None] | None = None) -> PulumiEngine:
        """Return a new engine, as a new process would have it; the listener hears its journal."""
        return crashing.engine(self.folder, self.pulumi, self.name, listener)

    def wanted(self, name: str, digest: str = "first") -> Wanted:
        """Return a component that stays."""
        return crashing.wanted(name, self.programs, digest)

    def up(self, *names: str) -> PulumiEngine:
        """Bring these components up in this process."""
        engine = self.engine()
        crashing.up(engine, [self.wanted(name) for name in names], lambda name: None, self.name)
        return engine

    def preview(self, engine: PulumiEngine, *names: str) -> set[ChangeKind]:
        """Return the kinds of change Pulumi would make."""
        return {found.kind for found in engine.preview([self.wanted(name) for name in names], ())}

    def states(self) -> dict[str, str]:
        """Return the state of every component."""
        return {name: str(seen.state) for name, seen in self.engine().driver().conditions().items()}

    def left(self) -> list[str]:
        """Return everything Docker has of the stack."""
        chosen = f"label=cartridge.stack={self.name}"
        lists = (["ps", "-aq"], ["volume", "ls", "-q"], ["network", "ls", "-q"])
        return [line for one in lists for line in spawn.run(["docker", *one, "--filter", chosen]).stdout.split()]

    def killed_up(self, step: str, victim: str) -> None:
        """Bring `alice` and `bob` up in a process that kills itself (`us`) or its Pulumi at a step of the journal."""
        argv = [sys.executable, str(CHILD), str(self.folder), str(self.pulumi), self.name, step, victim]
        done = spawn.run(
            argv, environment={**settings.inherited(), "PYTHONPATH": os.pathsep.join(sys.path)}, timeout=90
        )
        expected = -signal.SIGKILL if victim == "us" else 4
        assert done.status == expected, (done.status, done.stderr[-2000:])

    def wait_no_cli(self) -> None:
        """Return when no CLI works on the stack any more."""

        def is_idle() -> bool:
            return not any(str(self.folder) in line for line in _cwds())

        until(is_idle, "the CLI ends with whoever started it")


def _cwds() -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*/cwd"):
        try:
            yield os.readlink(process)
        except OSError:
            continue


@pytest.fixture
def stack(tmp_path: Path, pulumi_cli: Installed) -> Iterator[Stack]:
    """A stack that has nothing yet."""
    made = Stack(tmp_path, pulumi_cli.binaries["pulumi"], installed(tmp_path))
    yield made
    made.engine().destroy()
    assert made.left() == []
