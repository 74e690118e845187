"""One `apply` of the process target: a thread a component, each through its own gate, and one eye on deaths.

The first failure ends the apply at once; threads that still stand at their gates start nothing afterwards, and end
when whoever made the gates lets them.
"""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from cartridge.deploy.engine import Gate, Started, Wanted
from cartridge.errors import ApplyError, CartridgeError
from cartridge.journal.recorder import Recorder
from cartridge.plan.change import Change, ChangeKind
from cartridge.targets import secrets
from cartridge.targets.driver import ComponentState
from cartridge.targets.process import logs
from cartridge.targets.process.client import PATIENCE, Changes, Guardian, Look
from cartridge.targets.process.layout import Layout, Record, identity

LAST_LINES = 20
"""Lines of a failed component's log that go into the error."""


@dataclass(slots=True)
class _Under:
    """What one apply shares between its threads: news for the main one, and whether anybody still wants it."""

    gate: Gate
    started: Started
    news: queue.Queue[Future[None] | Exception] = field(default_factory=queue.Queue)
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
            ApplyError: `component-failed` with the end of its log; `component-unstartable`; what a gate raises.
        """
        kinds = {change.resource.removeprefix("component/"): change.kind for change in changes}
        under = _Under(gate, started)
        with self._guardian.changes() as deaths:
            looks = deaths.first()
            self._remove({*looks, *self._layout.names()} - {one.name for one in wanted})
            fresh = [one for one in wanted if not _is_as_wanted(one, looks.get(one.name))]
            self._stop([one.name for one in fresh if one.name in looks and looks[one.name].pid])
            threading.Thread(target=self._watch, args=(deaths, under), name="deaths", daemon=True).start()
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
            for one in fresh:
                work = pool.submit(self._bring, one, kinds.get(one.name, ChangeKind.KEEP), under)
                work.add_done_callback(under.news.put)
            for _ in fresh:
                _raise(under.news.get())
            if not under.news.empty():  # the last one has started, and died
                _raise(under.news.get())
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

    def _watch(self, deaths: Changes, under: _Under) -> None:
        """Report the first component that ends by itself while the apply is under way."""
        try:
            while not under.abandoned.is_set():
                for look in deaths.next(None):
                    if look.state == ComponentState.FAILED:
                        under.news.put(self._death(look))
        except (CartridgeError, OSError, ValueError) as error:  # the stream was closed, or the guardian is gone
            if not under.abandoned.is_set():
                under.news.put(error)

    def _death(self, look: Look) -> ApplyError:
        status = look.exit_status or 0
        how = f"with status {status}" if status >= 0 else f"by {signal.Signals(-status).name}"
        return ApplyError(
            f"`{look.name}` ended by itself {how}",
            code="component-failed",
            details=tuple(
                line.decode("utf-8", "replace") for line in logs.lines(self._layout.log(look.name), LAST_LINES)
            ),
            resolution=f"`cartridge logs {look.name}` has the rest; it was left as it is",
        )


def _is_as_wanted(wanted: Wanted, look: Look | None) -> bool:
    if look is None or look.state not in (ComponentState.RUNNING, ComponentState.DONE):
        return False
    return look.digest == identity(wanted.digest, wanted.rendered)


def _raise(news: Future[None] | Exception) -> None:
    """Raise what went wrong in a thread, or the death of a component."""
    if isinstance(news, Exception):
        raise news
    news.result()
