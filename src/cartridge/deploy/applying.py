"""One `apply` of the process target: a thread a component, each through its own gate.

The first failure ends the apply at once; threads that still stand at their gates start nothing afterwards, and end
when whoever made the gates lets them.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from msgspec import Struct, field

from cartridge.deploy.engine import Gate, Started, Wanted
from cartridge.errors import ApplyError
from cartridge.journal.recorder import Recorder
from cartridge.plan.change import Change, ChangeKind
from cartridge.targets import secrets
from cartridge.targets.driver import ComponentState
from cartridge.targets.process.client import PATIENCE, Guardian, Look
from cartridge.targets.process.layout import Layout, Record, identity


class _Under(Struct):
    """What one apply shares between its threads: whom to ask and tell, and whether anybody still wants it."""

    gate: Gate
    started: Started
    abandoned: threading.Event = field(default_factory=threading.Event)


class Applying:
    """Carries out changes on one stack.

    Args:
        guardian: alive.
        layout: the stack's folders.
        recorder: told of each seeding, start and removal.
        variable: the caller's environment, for references to secrets.
    """

    def __init__(self, guardian: Guardian, layout: Layout, recorder: Recorder, variable: secrets.Variable) -> None:
        self._guardian, self._layout, self._recorder, self._variable = guardian, layout, recorder, variable

    def run(self, wanted: Sequence[Wanted], changes: Sequence[Change], gate: Gate, started: Started) -> None:
        """Do it; returns when every wanted component was started.

        Raises:
            ApplyError: `component-unpreparable`, `component-unstartable`.
            Exception: what a gate raises.
        """
        kinds = {change.resource.removeprefix("component/"): change.kind for change in changes}
        under = _Under(gate, started)
        looks = self._guardian.looks()
        self._remove({*looks, *self._layout.names()} - {one.name for one in wanted})
        fresh = [one for one in wanted if not _is_as_wanted(one, looks.get(one.name))]
        self._stop([one.name for one in fresh if one.name in looks and looks[one.name].pid])
        self._start_all(wanted, fresh, kinds, under)

    def _start_all(
        self, wanted: Sequence[Wanted], fresh: Sequence[Wanted], kinds: Mapping[str, ChangeKind], under: _Under
    ) -> None:
        waited = {one.name for one in fresh}
        for one in wanted:
            if one.name not in waited:
                under.started(one.name)
        pool = ThreadPoolExecutor(max(1, len(fresh)), thread_name_prefix="start")
        try:
            brought = [pool.submit(self._bring, one, kinds.get(one.name, ChangeKind.KEEP), under) for one in fresh]
            for work in as_completed(brought):
                work.result()
        finally:
            under.abandoned.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _bring(self, wanted: Wanted, kind: ChangeKind, under: _Under) -> None:
        try:
            record = self._prepare(wanted, kind)
        except OSError as error:
            raise ApplyError(
                f"`{wanted.name}` cannot be prepared: {error}",
                code="component-unpreparable",
                resolution="make room, or grant access to the folder",
            ) from error
        under.gate(wanted.name)
        if under.abandoned.is_set():
            return
        with self._recorder.step(f"start/{wanted.name}", f"{wanted.name}: starting"):
            environment = secrets.resolve(record.environment, self._variable)
            self._guardian.start(self._layout.definition(record), environment)
        under.started(wanted.name)

    def _prepare(self, wanted: Wanted, kind: ChangeKind) -> Record:
        """Put everything there that the component needs before it starts; a repeat finds its own work done."""
        layout, name = self._layout, wanted.name
        before = layout.record(name)
        is_leftover = kind is ChangeKind.CREATE and (before is None or before.digest != wanted.digest)
        if kind is ChangeKind.REPLACE or is_leftover:
            layout.forget(name, log=is_leftover)
        held = layout.ports()
        record = Record(
            name=name,
            digest=wanted.digest,
            identity=identity(wanted.digest, wanted.rendered),
            argv=wanted.rendered.command,
            environment=wanted.rendered.environment,
            signal=signal.Signals[wanted.stop.signal].value,
            grace=wanted.stop.grace / 1000,
            depends_on=wanted.depends_on,
            one_shot=wanted.one_shot,
            ports={port: held[name, port] for port in wanted.ports if (name, port) in held},
            programs={binary: str(path) for binary, path in wanted.installed.binaries.items()},
        )
        layout.remember(record)
        layout.configure(wanted.rendered)
        if not layout.data(name).is_dir():
            with self._recorder.step(f"seed/{name}", f"{name}: writing its first data"):
                layout.seed(name, wanted.seed)
        return record

    def _remove(self, names: set[str]) -> None:
        if not names:
            return
        with self._recorder.step("remove", "removing what is no longer asked for"):
            self._guardian.end(sorted(names), forget=True, patience=self._grace(names))
            for name in names:
                self._layout.forget(name)

    def _stop(self, names: Sequence[str]) -> None:
        if names:
            with self._recorder.step("stop", "stopping what changes"):
                self._guardian.end(names, patience=self._grace(names))

    def _grace(self, names: Sequence[str] | set[str]) -> float:
        records = (self._layout.record(name) for name in names)
        return PATIENCE + sum(record.grace for record in records if record is not None)


def _is_as_wanted(wanted: Wanted, look: Look | None) -> bool:
    if look is None or look.state not in (ComponentState.RUNNING, ComponentState.DONE):
        return False
    return look.digest == identity(wanted.digest, wanted.rendered)
