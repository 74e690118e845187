"""The guardian: one small process a stack that owns its components, outlives `up`, and ends when its lease does.

It sleeps until something happens: a request, a line of output, the end of a child, the lease. It decides nothing:
what to start, with which environment, in which order, is its client's. It never stores an environment, never waits
for a slow client, never touches another stack. When it is killed its children die with it, and its watcher ends what
they left. Standard library only, single-threaded because it forks.

Messages are JSON, one a line: `{"do": "start", …}` is answered by `{"ok": {…}}` or `{"error": {…}}`; after
`subscribe` come `{"changed": {…}}`. One request at a time on a connection. docs/explanation/guardian.md has more.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence

from cartridge.targets.process import child, clients, freezing, marks, ports, watcher, wire

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing `typing` would cost a quarter of our start
    from typing import Any

LONGEST_SLEEP = 1e6
"""Seconds (eleven days) to sleep at once; the system call counts milliseconds in 32 bits."""
LAST_PATIENCE = 2.0
"""Seconds for a component whose data goes with it: an lnd whose bitcoind was killed would take all of its grace."""


class RefusedError(Exception):
    """A request that cannot be met; `fields` go to the client as they are."""

    def __init__(self, code: str, brief: str, **fields: object) -> None:
        super().__init__(brief)
        self.fields = {"code": code, "brief": brief, **fields}


class Ending:
    """Components on their way to their end, dependents first; `done` is called when all have ended.

    None has more than `patience` seconds from the signal on, whatever its grace.
    """

    def __init__(self, names: Sequence[str], done: Callable[[], None], patience: float | None) -> None:
        self.names, self.done = set(names), done
        self.patience = math.inf if patience is None else patience


class Guardian:
    """The processes of one stack.

    Args:
        stack: the stack's id.
        runtime: the folder of its socket and lock.
        listener: the socket, listening.
        lock: descriptor of the lock; held while this process lives.

    Attributes:
        link: the link to the runtime folder, removed at the end; "" for none.
    """

    def __init__(self, stack: str, runtime: str, listener: socket.socket, lock: int) -> None:
        self.stack, self.runtime = stack, runtime
        self.children: dict[str, child.Child] = {}
        self.ports: dict[tuple[str, str], ports.Held] = {}
        self.endings: list[Ending] = []
        self.freezer = freezing.Freezer()
        self.expires = 0.0
        self.belongings: list[str] = []
        self.link = ""
        self.is_closing = self.is_finished = False
        self.watcher = watcher.Watcher(lock, stack, runtime)
        self.selector = selectors.DefaultSelector()
        self.clients = clients.Clients(self.selector, listener, self._dispatch)

    def run(self) -> None:
        """Serve until shut down, told to end by a signal, or out of lease."""
        self._watch_signals()
        self.watcher.start()
        while not self.is_finished:
            for key, _ in self.selector.select(self._patience()):
                key.data()
            self._look_at_time()

    def lease(self, expires: float, belongings: Sequence[str]) -> None:
        """Take a lease: its end (seconds since 1970, 0 for never) and the paths to remove then."""
        self.expires, self.belongings = expires, list(belongings)

    # What clients may ask: one method a message, its parameters are the message's fields.

    def do_hello(self, _: clients.Connection) -> dict[str, object]:
        """Say who this is."""
        return {"protocol": wire.PROTOCOL, "stack": self.stack, "pid": os.getpid(), "watcher": self.watcher.pid}

    def do_renew(self, _: clients.Connection, *, expires: float, belongings: Sequence[str]) -> dict[str, object]:
        """Take another lease."""
        self._refuse_when_closing()
        self.lease(expires, belongings)
        return {}

    def do_reserve(self, _: clients.Connection, *, wanted: Sequence[Sequence[Any]]) -> dict[str, object]:
        """Hold ports: each wanted is component, port, number (0 takes a free one), and whether it must be that."""
        for component, name, number, insist in wanted:
            self._reserve((component, name), number, insist=insist)
        return {"ports": [[*key, held.number] for key, held in sorted(self.ports.items())]}

    def do_start(
        self, _: clients.Connection, *, environment: Mapping[str, str], **definition: Any
    ) -> dict[str, object]:
        """Start a component; one that runs already with the same digest is kept."""
        self._refuse_when_closing()
        new = child.Child(**definition)
        old = self.children.get(new.name)
        if old is not None and old.is_alive:
            if old.digest == new.digest and not old.is_ending:
                return {"component": old.describe(), "adopted": True}
            raise RefusedError("component-running", f"`{new.name}` still runs", component=new.name)
        if old is not None:
            new.started, new.restarts = old.started, old.restarts
        self.children[new.name] = new
        try:
            new.start({**environment, wire.STACK_MARK: self.stack, wire.COMPONENT_MARK: new.name})
        except OSError as error:
            new.state = "failed"
            brief = f"`{new.name}` cannot be started: `{error.filename}`: {error.strerror}"
            raise RefusedError("component-unstartable", brief) from error
        self.selector.register(new.pipe, selectors.EVENT_READ, lambda: self._pump(new))
        self._tell(new)
        return {"component": new.describe(), "adopted": False}

    def do_end(
        self, connection: clients.Connection, *, components: Sequence[str], forget: bool, within: float | None
    ) -> None:
        """End components, dependents first; with `forget` their ports and all knowledge of them go too."""
        known = [name for name in components if name in self.children]

        def done() -> None:
            if forget:
                self._forget(components)
            self.clients.answer(connection, {"ok": {"ended": known}})

        self._end(known, done, within)

    def do_status(self, _: clients.Connection) -> dict[str, object]:
        """Describe every component."""
        return {"components": [known.describe() for known in self.children.values()]}

    def do_subscribe(self, connection: clients.Connection) -> dict[str, object]:
        """Describe every component, now and whenever one changes."""
        connection.subscribed = True
        return self.do_status(connection)

    def do_freeze(self, connection: clients.Connection, *, components: Sequence[str], seconds: float) -> None:
        """Have components stand still, for as many seconds at most; answered once all of them do."""
        self._refuse_when_closing()
        running = {name: one.pid for name, one in self.children.items() if name in components and one.is_alive}
        if missing := sorted({*components} - {*running}):
            raise RefusedError("component-not-running", f"`{missing[0]}` does not run", component=missing[0])
        until = time.monotonic() + min(seconds, freezing.LONGEST)
        answer = {"ok": {"frozen": sorted(running)}}
        self.freezer.freeze(running, until, lambda: self.clients.answer(connection, answer))

    def do_thaw(self, _: clients.Connection) -> dict[str, object]:
        """Let everything go on; say what stood still until now."""
        return {"thawed": self.freezer.thaw()}

    def do_shutdown(self, connection: clients.Connection, *, remove: bool) -> None:
        """End everything and go; with `remove` the lease's belongings go too."""
        ended = [name for name, known in self.children.items() if known.is_alive]
        self._shut_down(remove=remove, done=lambda: self.clients.answer(connection, {"ok": {"ended": ended}}))

    def _dispatch(self, connection: clients.Connection, line: bytes) -> Mapping[str, object] | None:
        try:
            fields = json.loads(line)
            handler = getattr(self, f"do_{fields.pop('do')}")
            answer = handler(connection, **fields)
        except RefusedError as error:
            return {"error": error.fields}
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            return {"error": {"code": "guardian-request", "brief": f"{type(error).__name__}: {error}"}}
        return None if answer is None else {"ok": answer}

    def _refuse_when_closing(self) -> None:
        if self.is_closing:
            raise RefusedError("guardian-closing", f"`{self.stack}` is being ended")

    # Ports.

    def _reserve(self, key: tuple[str, str], number: int, *, insist: bool) -> None:
        held = self.ports.get(key)
        if held is not None:
            if not insist or held.number == number:
                return
            self.ports.pop(key).release()
        try:
            self.ports[key] = ports.hold(number) if number else ports.hold_free()
        except ports.TakenError as error:
            if insist or not number:
                raise RefusedError("port-taken", str(error), component=key[0], port=key[1], number=number) from error
            self.ports[key] = ports.hold_free()

    # Children.

    def _tell(self, known: child.Child) -> None:
        self.clients.tell({"changed": known.describe()})

    def _pump(self, known: child.Child) -> None:
        if known.pipe >= 0 and not known.pump():
            self.selector.unregister(known.pipe)

    def _end(self, names: Sequence[str], done: Callable[[], None], patience: float | None = None) -> None:
        self.endings.append(Ending(names, done, patience))
        self._go_on_ending()

    def _go_on_ending(self) -> None:
        """Tell those to end that nobody still running needs; call `done` of what has ended."""
        now = time.monotonic()
        for ending in list(self.endings):
            alive = [known for known in self.children.values() if known.name in ending.names and known.is_alive]
            needed = {name for known in alive for name in known.depends_on}
            free = [known for known in alive if known.name not in needed] or alive  # a circle is ended all at once
            for known in free:
                if not known.is_ending:
                    known.end(now, ending.patience)
            if not alive:
                self.endings.remove(ending)
                ending.done()

    def _forget(self, names: Sequence[str]) -> None:
        for name in names:
            self.children.pop(name, None)
        for key in [key for key in self.ports if key[0] in names]:
            self.ports.pop(key).release()

    def _reap(self) -> None:
        """Take note of every process that has ended: children, and orphans that were left to us."""
        by_pid = {known.pid: known for known in self.children.values() if known.pid}
        while pid := _next_ended():
            known = by_pid.get(pid)
            if known is not None:
                known.kill()  # the rest of its group, while its pid still is its own
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            if pid == self.watcher.pid:
                self.watcher.start()
            elif known is not None:
                self.freezer.forget(pid)
                self._ended(known, status)
        self.freezer.look()
        self._go_on_ending()

    def _ended(self, known: child.Child, status: int) -> None:
        with contextlib.suppress(KeyError):  # its output ended before it did
            self.selector.unregister(known.pipe)
        known.ended(status)
        for ending in self.endings:
            ending.names.discard(known.name)  # should somebody start it again meanwhile
        for stray in marks.components(self.stack, known.name, marks.own_children()):
            marks.kill(stray)
        self._tell(known)

    # Time, signals, and the end.

    def _patience(self) -> float | None:
        """Return the seconds until something is due; None when only an event can wake us."""
        due = [known.kill_at - time.monotonic() for known in self.children.values() if known.kill_at is not None]
        if self.freezer.thaw_at is not None:
            due.append(self.freezer.thaw_at - time.monotonic())
        if self.freezer.is_waiting:
            due.append(freezing.AGAIN)
        if self.expires and not self.is_closing:
            due.append(min(self.expires - time.time(), LONGEST_SLEEP))
        return max(0.0, min(due)) if due else None

    def _look_at_time(self) -> None:
        now = time.monotonic()
        for known in self.children.values():
            if known.kill_at is not None and known.kill_at <= now:
                known.kill()
                known.kill_at = now + 1.0  # again, should it have been about to fork
        if self.freezer.thaw_at is not None and self.freezer.thaw_at <= now:
            self.freezer.thaw()
        self.freezer.let_children_begin()
        if self.expires and self.expires <= time.time():
            self._shut_down(remove=True, done=lambda: None)

    def _watch_signals(self) -> None:
        self._signals, writing = socket.socketpair()
        self._signals.settimeout(0)
        writing.settimeout(0)
        signal.set_wakeup_fd(writing.detach(), warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.selector.register(self._signals, selectors.EVENT_READ, self._signalled)

    def _signalled(self) -> None:
        numbers = self._signals.recv(4096)
        if signal.SIGTERM in numbers or signal.SIGINT in numbers:
            self._shut_down(remove=False, done=lambda: None)
        self._reap()

    def _shut_down(self, *, remove: bool, done: Callable[[], None]) -> None:
        self.is_closing = True
        self.freezer.thaw()
        if remove:
            self.expires = 0.0  # whatever it was, it is being seen to

        def finish() -> None:
            self._finish(remove=remove)
            done()

        self._end(list(self.children), finish, LAST_PATIENCE if remove else None)

    def _finish(self, *, remove: bool) -> None:
        """Leave nothing: strays, belongings, socket and lock. The last act before the answer."""
        if self.is_finished:
            return
        self.is_finished = True
        marks.sweep(self.stack)
        if remove:
            _remove(self.belongings)
        _remove([self.link])
        self.watcher.dismiss()
        self.clients.close()
        watcher.leave(self.runtime)


def _next_ended() -> int:
    """Return the pid of a child that has ended and not been waited for; 0 where there is none."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return 0
    return found.si_pid if found else 0


def _remove(paths: Sequence[str]) -> None:
    import shutil

    for path in paths:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                os.unlink(path)
