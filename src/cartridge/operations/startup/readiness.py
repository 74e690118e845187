"""Lets each component start when what it needs is ready, and says when all are.

The engine asks `gate` before a start and tells `started` after it; everything else happens in threads of ours.
One failure ends every wait. Never starts or stops anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress

from cartridge.errors import ApplyError, UnknownVerdictError
from cartridge.journal.events import ComponentChanged
from cartridge.journal.recorder import Recorder
from cartridge.workspace.resolved import ResolvedComponent

Probe = Callable[[ResolvedComponent], None]
"""Returns when the component is ready; raises when it will not be."""


class Readiness:
    """The readiness of one stack's components, as futures.

    Args:
        components: every one of the stack, by name.
        probe: asks one component until it is ready.
        recorder: told of each component that starts and becomes ready.
        cancel: called once when something failed, to end every other wait.
    """

    def __init__(
        self,
        components: Mapping[str, ResolvedComponent],
        probe: Probe,
        recorder: Recorder,
        cancel: Callable[[], None],
    ) -> None:
        self._components, self._probe = components, probe
        self._required: dict[str, Future[None]] = {}
        self._first: BaseException | None = None
        self._recorder, self._cancel = recorder, cancel
        self._ready: dict[str, Future[None]] = {name: Future() for name in components}
        # Each is watched, and something may follow each: those that wait for others must leave these a thread.
        self._threads = ThreadPoolExecutor(max_workers=max(4, 2 * len(components)), thread_name_prefix="ready")

    def gate(self, name: str) -> None:
        """Return when everything the component depends on is ready; raise what stopped it."""
        for dependency in self._components[name].depends_on:
            self._ready[dependency].result()
        if name in self._required:
            self._required[name].result()

    def require(self, name: str, done: Future[None]) -> None:
        """Let the component start only once `done` is, beside its dependencies."""
        self._required[name] = done

    def started(self, name: str) -> None:
        """Take note that the component runs, and begin to ask whether it is ready."""
        self._recorder.record(ComponentChanged(name, "starting"))
        self._threads.submit(self._watch, name)

    def fail(self, error: BaseException) -> None:
        """End every wait with `error`, unless something failed before it."""
        self._note(error)
        for future in self._ready.values():
            with suppress(InvalidStateError):  # it was ready already
                future.set_exception(error)

    def after(self, name: str, then: Callable[[], None]) -> Future[None]:
        """Return a future of `then`, called in a thread once the component is ready."""
        outcome: Future[None] = Future()

        def run() -> None:
            try:
                self._ready[name].result()
                then()
            except BaseException as error:  # noqa: BLE001 - whoever waits for the future sees it
                self._note(error)
                outcome.set_exception(error)
            else:
                outcome.set_result(None)

        self._threads.submit(run)
        return outcome

    @property
    def first(self) -> BaseException | None:
        """What failed first, and so is the reason for whatever failed after it."""
        return self._first

    def wait(self) -> None:
        """Return when every component is ready; raise the first thing that stopped one, with its name."""
        for name in self._components:
            self._ready[name].result()

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _note(self, error: BaseException) -> None:
        if self._first is None:
            self._first = error
        self._cancel()

    def _watch(self, name: str) -> None:
        future = self._ready[name]
        try:
            for dependency in self._components[name].depends_on:  # one that ran on is not ready before what it needs
                self._ready[dependency].result()
            with self._recorder.step(f"ready/{name}", f"{name}: becoming ready"):
                self._probe(self._components[name])
        except BaseException as error:  # noqa: BLE001 - `wait` and `gate` raise it where it is seen
            self._note(named := _named(name, error))
            with suppress(InvalidStateError):  # something else failed first
                future.set_exception(named)
            return
        with suppress(InvalidStateError):
            future.set_result(None)
        self._recorder.record(ComponentChanged(name, "ready"))


def _named(name: str, error: BaseException) -> BaseException:
    if isinstance(error, UnknownVerdictError):
        return ApplyError(
            f"`{name}` did not become ready: {error.brief}",
            code="component-not-ready",
            details=error.details,
            resolution=f"read `cartridge logs {name}`; it was left as it is",
        )
    return error
