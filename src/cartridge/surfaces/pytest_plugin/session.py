"""The networks of one test session: forks made ahead by threads, lent to tests, kept alive meanwhile, and ended.

Looks at folder and environment once, because tests change both. Each fork has a lease that is renewed while this
process lives, so what it cannot end ends by itself. Knows nothing of pytest.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from msgspec.structs import replace

from cartridge.clock import SystemClock
from cartridge.errors import CartridgeError, InputError
from cartridge.journal import runs
from cartridge.journal.recorder import Entry, Listener, Recorder
from cartridge.operations.access.context import Context, Options
from cartridge.operations.access.stages import Stages
from cartridge.operations.down import down
from cartridge.operations.fork import fork
from cartridge.operations.prepared import prepared
from cartridge.operations.renewal import renew
from cartridge.surfaces.pytest_plugin.choice import Choice
from cartridge.surfaces.pytest_plugin.network import Lightning
from cartridge.workspace import settings as environment
from cartridge.workspace.project import find

ENTRIES = 40
"""Entries of its journal that are remembered of a network."""
MOST_SPARES, LEAST_TTL = 16, 3_000
_RENEWALS, _RENEW_WITHIN = 3, 1_000
"""Renewals in the time a lease lasts; and milliseconds one waits for somebody who is at work on the network."""


class Networks:
    """The networks of a session.

    Args:
        ttl: how long a network outlives us, such as `2 m`; three seconds at least.
        spares: how many are made ahead, a number as text.
        worker: of pytest-xdist, "" without.
        say: told what goes on while the first network is made, which may take minutes.

    Attributes:
        spares: how many are made ahead.
        notes: lines for people: what was kept, what did not end.

    Raises:
        InputError: `test-setting-wrong`; `variable-wrong`.
    """

    def __init__(
        self, *, ttl: str, spares: str, worker: str = "", say: Listener | None = None, start: Path | None = None
    ) -> None:
        self._ttl, self.spares = _duration(ttl), _count(spares)
        self._prefix = f"pytest-{worker}-" if worker else "pytest-"
        settings = environment.read()
        self._settings = replace(settings, files=tuple(str(Path(file).absolute()) for file in settings.files))
        self._project, self._clock = find(settings, start), SystemClock()
        self._say = (say,) if say else ()
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._bases: dict[Choice, str] = {}
        self._base_lock = threading.Lock()
        self._waiting: dict[Choice, deque[Future[Lightning]]] = {}
        self._making: set[str] = set()
        self._contexts: dict[str, Context] = {}
        self._ends: list[tuple[str, Future[None]]] = []
        self._pool = ThreadPoolExecutor(max(2, self.spares + 1), thread_name_prefix="cartridge-networks")
        self._heart: threading.Thread | None = None
        self.notes: list[str] = []

    def take(self, wanted: Choice, following: Sequence[Choice] = ()) -> Lightning:
        """Return a network nobody else has, and begin to make those that will be wanted next.

        Raises:
            CartridgeError: what `prepared` and `fork` raise.
        """
        waiting = self._waiting.get(wanted)
        lent = (waiting.popleft() if waiting else self._begin(wanted)).result()
        self._make_ahead(following)
        return lent

    def give_back(self, lent: Lightning, *, keep: bool = False) -> None:
        """End a network in the background; with `keep`, let it live until somebody ends it by hand."""
        name = lent.name
        if keep:
            self._keep(lent)
        else:
            self._ends.append((name, self._pool.submit(self._end, name)))

    def close(self) -> None:
        """End every network, those being made included, and return when all have ended."""
        self._closed.set()
        for context in list(self._contexts.values()):
            context.cancelled.set()
        for future in (each for waiting in self._waiting.values() for each in waiting):
            if not future.cancel():
                with contextlib.suppress(CartridgeError):  # it was never lent, and has ended itself
                    future.result()
        ending = {name for name, _ in self._ends}
        self._ends += [(name, self._pool.submit(self._end, name)) for name in {*self._contexts} - ending - {""}]
        self._pool.shutdown()
        self.notes += [
            f"`{name}` did not end: {error}; it will within {self._ttl // 1000} s"
            for name, end in self._ends
            if (error := end.exception()) is not None
        ]
        if self._heart:
            self._heart.join()

    def _keep(self, lent: Lightning) -> None:
        self._forget(lent.name)
        try:
            renew(self._context(Options(stack=lent.name)), ttl=None)
        except CartridgeError as error:
            self.notes.append(f"`{lent.name}` could not be kept: {error.brief}")
        else:
            self.notes.append(f"the network of a failed test is kept: {lent.how_to_look}")

    def _begin(self, wanted: Choice) -> Future[Lightning]:
        if self._heart is None:
            self._heart = threading.Thread(target=self._beat, name="cartridge-leases", daemon=True)
            self._heart.start()
        return self._pool.submit(self._make, wanted)

    def _make_ahead(self, choices: Sequence[Choice]) -> None:
        for choice in set(choices):
            waiting = self._waiting.setdefault(choice, deque())
            for _ in range(choices.count(choice) - len(waiting)):
                waiting.append(self._begin(choice))

    def _make(self, wanted: Choice) -> Lightning:
        base = self._base(wanted)
        name = f"{self._prefix}{secrets.token_hex(3)}"
        recent: deque[Entry] = deque(maxlen=ENTRIES)
        context = self._context(replace(self._options(wanted), stack=name, ttl=self._ttl), recent.append)
        with self._lock:
            self._contexts[name] = context
            self._making.add(name)
        if self._closed.is_set():
            context.cancelled.set()
        try:
            context.go_on()
            fork(context, name, snapshot=base)
            context.go_on()
        except BaseException:
            self._end(name)
            raise
        self._making.discard(name)
        return Lightning(context, name, recent)

    def _base(self, wanted: Choice) -> str:
        """Return the snapshot to fork, made first where there is none."""
        if wanted.snapshot:
            return wanted.snapshot
        with self._base_lock:
            if wanted not in self._bases:
                journal = runs.path_for(self._project.state / "journal", self._clock.now(), "up")
                context = self._context(self._options(wanted), *self._say, journal=journal)
                with self._lock:
                    self._contexts[""] = context
                try:
                    self._bases[wanted] = prepared(context)
                finally:
                    context.close()
                    self._contexts.pop("", None)
        return self._bases[wanted]

    def _end(self, name: str) -> None:
        self._forget(name)
        down(self._context(Options(stack=name)))

    def _forget(self, name: str) -> None:
        with self._lock:
            self._contexts.pop(name, None)
            self._making.discard(name)

    def _beat(self) -> None:
        """Renew every lease again and again until we end."""
        while not self._clock.wait(self._ttl / 1000 / _RENEWALS, self._closed):
            for name in set(self._contexts) - self._making - {""}:
                with contextlib.suppress(CartridgeError):  # it is being ended, or will be asked once more before long
                    renew(self._context(Options(stack=name, wait_timeout=_RENEW_WITHIN)), ttl=self._ttl)

    def _options(self, wanted: Choice) -> Options:
        settings = self._settings
        return Options(
            files=settings.files,
            stack=wanted.stack or settings.stack,
            target=wanted.target or settings.target,
            wait_timeout=settings.wait_timeout,
            offline=settings.offline,
        )

    def _context(self, options: Options, *listeners: Callable[[Entry], None], journal: Path | None = None) -> Context:
        stages = Stages()
        return Context(
            options=options,
            settings=self._settings,
            clock=self._clock,
            recorder=Recorder(self._clock, journal, (stages, *listeners)),
            cancelled=threading.Event(),
            project=self._project,
            verb="up" if journal else "test",
            stages=stages,
        )


def _duration(text: str) -> int:
    from cartridge.model.units import parse_duration

    try:
        ttl = parse_duration(text)
    except ValueError as error:
        raise _wrong("cartridge_ttl", text, str(error).rpartition("; ")[2]) from error
    if ttl < LEAST_TTL:
        raise _wrong("cartridge_ttl", text, f"write `{LEAST_TTL // 1000} s` or more")
    return ttl


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST_SPARES:
        raise _wrong("cartridge_spares", text, f"write a number from 0 to {MOST_SPARES}")
    return int(text)


def _wrong(name: str, value: str, resolution: str) -> InputError:
    return InputError(f"the setting `{name}` is `{value}`", code="test-setting-wrong", resolution=resolution)
