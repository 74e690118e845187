"""An engine that makes components in memory, with real threads at the gates.

Passes the conformance suite of `deploy.engine.Engine`. `FakeDriver` says what a component's command means.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence

from cartridge.artifacts.installed import Installed
from cartridge.deploy.engine import Gate, Lease, Started, Wanted
from cartridge.errors import InputError, MissingError
from cartridge.model.cartridge import Port
from cartridge.plan.change import Change, ChangeKind
from cartridge.targets.copying import read
from cartridge.targets.driver import ComponentState
from tests.doubles.driver import FakeComponent, FakeDriver

FIRST_PORT = 20_000


class FakePlacement:
    """Where components are: ports counted up from 20000, folders that exist nowhere."""

    def __init__(self, ports: Mapping[tuple[str, str], int], installed: Mapping[str, Installed]) -> None:
        self._ports, self._installed = ports, installed

    def listen(self, component: str, port: str) -> str:
        """Return the host:port the component must bind."""
        if (component, port) not in self._ports:
            raise InputError(f"`{component}` has no port `{port}`", code="port-unknown")
        return f"127.0.0.1:{self._ports[component, port]}"

    def reach(self, component: str, port: str) -> str:
        """Return the same: all are in one place."""
        return self.listen(component, port)

    def data(self, component: str) -> str:
        """Return `/<component>/data`."""
        return f"/{component}/data"

    def config(self, component: str) -> str:
        """Return `/<component>/config`."""
        return f"/{component}/config"

    def program(self, component: str, binary: str) -> str:
        """Return the program's path in the store."""
        programs = self._installed[component].binaries if component in self._installed else {}
        if binary not in programs:
            raise InputError(f"`{component}` has no program `{binary}`", code="program-unknown")
        return str(programs[binary])


class FakeEngine:
    """The engine of one stack in memory.

    Attributes:
        lease: the last one, or None.
        components: what exists, by name.
    """

    def __init__(self) -> None:
        self.lease: Lease | None = None
        self.components: dict[str, FakeComponent] = {}
        self._ports: dict[tuple[str, str], int] = {}
        self._driver = FakeDriver(self.components)

    def begin(self, lease: Lease) -> None:
        """Keep the lease."""
        self.lease = lease

    def place(self, components: Mapping[str, tuple[Mapping[str, Port], Mapping[str, int], Installed]]) -> FakePlacement:
        """Give every port its number, the same each time."""
        if self.lease is None:
            raise MissingError("nothing was begun", code="target-down")
        for component, (ports, fixed, _) in components.items():
            for name in ports:
                free = max(self._ports.values(), default=FIRST_PORT) + 1
                self._ports[component, name] = fixed.get(name, 0) or self._ports.get((component, name), free)
        return FakePlacement(self._ports, {name: installed for name, (_, _, installed) in components.items()})

    def apply(self, wanted: Sequence[Wanted], changes: Sequence[Change], gate: Gate, started: Started) -> None:
        """Carry out the changes, each component in a thread of its own."""
        kinds = {change.resource.removeprefix("component/"): change.kind for change in changes}
        for name in set(self.components) - {one.name for one in wanted}:
            self._forget(name)
        adopted = [one for one in wanted if self._is_as_wanted(one)]
        for one in adopted:
            started(one.name)
        news: queue.Queue[BaseException | None] = queue.Queue()

        def bring(one: Wanted) -> None:
            try:
                component = self._prepare(one, kinds.get(one.name, ChangeKind.KEEP))
                gate(one.name)
                component.start()
                started(one.name)
                self._driver.notify()
                news.put(None)
            except BaseException as error:  # noqa: BLE001 - `apply` raises it in the thread that asked
                news.put(error)

        fresh = [one for one in wanted if one not in adopted]
        for one in fresh:
            threading.Thread(target=bring, args=(one,), daemon=True).start()
        for _ in fresh:
            if (error := news.get()) is not None:
                raise error

    def destroy(self) -> tuple[str, ...]:
        """Forget everything."""
        removed = tuple(f"component/{name}" for name in sorted(self.components))
        if self.lease is not None:
            removed += (f"lease/{self.lease.stack}",)
        self.components.clear()
        self._ports.clear()
        self.lease = None
        return removed

    def drift(self, wanted: Sequence[Wanted]) -> tuple[Change, ...]:
        """Return what is not as the last `apply` left it."""
        found = []
        for one in wanted:
            component = self.components.get(one.name)
            if component is None:
                found.append(Change(ChangeKind.CREATE, f"component/{one.name}", "it does not exist"))
            elif component.state not in (ComponentState.RUNNING, ComponentState.DONE):
                found.append(Change(ChangeKind.START, f"component/{one.name}", "it does not run"))
            elif component.digest != one.digest:
                found.append(Change(ChangeKind.UPDATE, f"component/{one.name}", "something else was asked for"))
        strange = sorted(set(self.components) - {one.name for one in wanted})
        found += [Change(ChangeKind.DELETE, f"component/{name}", "nobody asks for it") for name in strange]
        return tuple(found)

    def driver(self) -> FakeDriver:
        """Return the grip on what runs."""
        return self._driver

    def _is_as_wanted(self, wanted: Wanted) -> bool:
        component = self.components.get(wanted.name)
        runs = component is not None and component.state in (ComponentState.RUNNING, ComponentState.DONE)
        return runs and component is not None and component.digest == wanted.digest

    def _prepare(self, wanted: Wanted, kind: ChangeKind) -> FakeComponent:
        before = self.components.get(wanted.name)
        ports = {name: self._ports[wanted.name, name] for name in wanted.ports}
        component = FakeComponent(wanted.name, wanted.digest, wanted.rendered.command, ports, wanted.one_shot)
        component.config = {file.path: file.content for file in wanted.rendered.files}
        if before is None or kind is ChangeKind.REPLACE:
            component.data = {path: read(content) for path, content in (wanted.seed() if wanted.seed else {}).items()}
        else:
            component.data, component.log, component.starts = before.data, before.log, before.starts
        self.components[wanted.name] = component
        return component

    def _forget(self, name: str) -> None:
        del self.components[name]
        for key in [key for key in self._ports if key[0] == name]:
            del self._ports[key]
