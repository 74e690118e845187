"""The engine of the process target: makes, changes and ends local processes through the stack's guardian.

Every act can be repeated after a kill at any point: the guardian keeps what runs, digests tell whether it is what is
wanted, data is seeded whole or not at all. Waits for no readiness; the gates it is handed do.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from cartridge.artifacts.installed import Installed
from cartridge.clock import Clock
from cartridge.deploy.applying import Applying
from cartridge.deploy.engine import Gate, Lease, Started, Wanted
from cartridge.deploy.leases import Entry, Leases, registry, seconds
from cartridge.errors import ApplyError, InputError, MissingError
from cartridge.journal.recorder import Recorder
from cartridge.model.cartridge import Port
from cartridge.plan.change import Change, ChangeKind
from cartridge.targets.driver import ComponentState
from cartridge.targets.process import wire
from cartridge.targets.process.client import PATIENCE, Guardian, Look
from cartridge.targets.process.driver import ProcessDriver
from cartridge.targets.process.layout import Layout, identity
from cartridge.workspace import settings as environment


class DirectEngine:
    """The engine of one stack; whoever changes a stack with it holds the stack's lock (`deploy.locks`).

    Args:
        stack: the stack's id.
        folder: the stack's own folder; `destroy` removes it whole.
        settings: where sockets and leases are.
        clock: what waiting passes by.
        recorder: told of every step.
    """

    def __init__(
        self, stack: str, folder: Path, settings: environment.Settings, clock: Clock, recorder: Recorder
    ) -> None:
        self._stack, self._layout, self._recorder = stack, Layout(folder.absolute()), recorder
        self._leases: Leases = registry(settings)
        self._guardian = Guardian(stack, settings.runtime, self._layout.folder, clock)

    def begin(self, lease: Lease) -> None:
        """Write the lease and start the guardian, which holds it from its first moment on.

        Raises:
            ApplyError: `guardian-failed`, `guardian-version`.
            MissingError: `runtime-folder-unsafe`.
        """
        entry = Entry(lease, "process", str(self._layout.folder))
        path = self._leases.write(entry)
        self._guardian.ensure(seconds(lease), [self._layout.folder, path])
        if not path.exists():  # a guardian whose lease had just run out took it along
            self._leases.write(entry)

    def place(
        self, components: Mapping[str, tuple[Mapping[str, Port], Mapping[str, int], Installed]]
    ) -> ProcessPlacement:
        """Have the guardian hold every port: the one asked for, the one it had last, or a free one.

        Raises:
            MissingError: `port-taken`, naming who has it; `target-down`.
        """
        before = self._layout.ports()
        wanted = []
        for component, (ports, fixed, _) in components.items():
            for name in ports:
                insisted = fixed.get(name, 0)
                wanted.append((component, name, insisted or before.get((component, name), 0), insisted > 0))
        held = self._guardian.reserve(wanted)
        self._layout.remember_ports(held)
        return ProcessPlacement(self._layout, held, {name: installed for name, (_, _, installed) in components.items()})

    def apply(self, wanted: Sequence[Wanted], changes: Sequence[Change], gate: Gate, started: Started) -> None:
        """Carry out the changes; what runs as wanted is adopted, what is not wanted is removed.

        Raises:
            ApplyError: `component-failed`, `component-unstartable`; what the gates raise.
        """
        applying = Applying(self._guardian, self._layout, self._recorder, environment.variable)
        applying.run(wanted, changes, gate, started)

    def destroy(self) -> tuple[str, ...]:
        """Remove processes, data, folder, socket and lease, and return the names of what was there."""
        from cartridge.targets.process import orphans

        names = self._layout.names()
        graces = [record.grace for record in self._layout.records().values()]
        runtime = self._guardian.runtime
        was_alive, ended = self._shut_down(sum(graces) + PATIENCE)
        removed = [f"component/{name}" for name in sorted({*names, *ended})]
        removed += [f"guardian/{self._stack}"] if was_alive else []
        removed += [f"process/{found.pid}" for found in orphans.sweep(runtime, self._stack)]
        has_lease = self._leases.remove(self._stack) or was_alive
        removed += [f"lease/{self._stack}"] if has_lease else []
        removed += [f"folder/{self._stack}"] if self._layout.folder.exists() or was_alive else []
        shutil.rmtree(self._layout.folder, ignore_errors=True)
        return tuple(removed)

    def drift(self, wanted: Sequence[Wanted]) -> tuple[Change, ...]:
        """Return what is not as the last `apply` left it; what is in order is left out."""
        try:
            looks = self._guardian.looks()
        except MissingError:
            looks = {}
        found = [change for one in wanted if (change := self._drifted(one, looks.get(one.name)))]
        expected = {one.name for one in wanted}
        known = {*self._layout.names(), *looks}
        found += [
            Change(ChangeKind.DELETE, f"component/{name}", "nobody asks for it") for name in sorted(known - expected)
        ]
        return tuple(found)

    def driver(self) -> ProcessDriver:
        """Return the grip on what runs."""
        return ProcessDriver(self._stack, self._layout, self._guardian, environment.variable)

    def _shut_down(self, patience: float) -> tuple[bool, tuple[str, ...]]:
        """Have the guardian end everything; return whether it lived, and what it ended."""
        try:
            if self._guardian.hello() is None:
                return False, ()
            return True, self._guardian.shut_down(remove=True, patience=patience)
        except ApplyError as error:
            if error.code != "guardian-failed":
                raise
            return True, ()  # it hangs; who calls us kills it

    def _drifted(self, wanted: Wanted, look: Look | None) -> Change | None:
        resource = f"component/{wanted.name}"
        if not self._layout.data(wanted.name).is_dir():
            return Change(ChangeKind.CREATE, resource, "its data folder is gone")
        if look is None:
            return Change(ChangeKind.START, resource, "it does not run: its guardian is gone")
        if look.state not in (ComponentState.RUNNING, ComponentState.DONE):
            how = "was stopped" if look.state == ComponentState.STOPPED else f"ended with status {look.exit_status}"
            return Change(ChangeKind.START, resource, f"it {how}")
        if look.digest != identity(wanted.digest, wanted.rendered):
            return Change(ChangeKind.UPDATE, resource, "it runs as something else was asked for")
        edited = next(self._layout.files(wanted.rendered), None)
        return Change(ChangeKind.UPDATE, resource, f"its `{edited}` was edited") if edited else None


class ProcessPlacement(Struct, frozen=True):
    """Where a stack's components are on this machine.

    Attributes:
        layout: the folders.
        ports: numbers by component and port name.
        installed: programs by component.
    """

    layout: Layout
    ports: Mapping[tuple[str, str], int]
    installed: Mapping[str, Installed]

    def listen(self, component: str, port: str) -> str:
        """Return the host:port the component must bind.

        Raises:
            InputError: `port-unknown`.
        """
        if (component, port) not in self.ports:
            raise InputError(f"`{component}` has no port `{port}`", code="port-unknown")
        return f"{wire.LOOPBACK}:{self.ports[component, port]}"

    def reach(self, component: str, port: str) -> str:
        """Return the host:port at which another component reaches it; here, the one it binds."""
        return self.listen(component, port)

    def data(self, component: str) -> str:
        """Return the component's data folder."""
        return str(self.layout.data(component))

    def config(self, component: str) -> str:
        """Return the folder of its rendered files."""
        return str(self.layout.config(component))

    def program(self, component: str, binary: str) -> str:
        """Return the absolute path of one of its programs.

        Raises:
            InputError: `program-unknown`.
        """
        programs = self.installed[component].binaries if component in self.installed else {}
        if binary not in programs:
            known = ", ".join(f"`{name}`" for name in sorted(programs)) or "none"
            raise InputError(
                f"`{component}` has no program `{binary}`",
                code="program-unknown",
                resolution=f"its programs are: {known}",
            )
        return str(programs[binary])
