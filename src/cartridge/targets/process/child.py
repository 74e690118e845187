"""One child of the guardian: how it is started, ended and logged.

Never decides when; never keeps the environment it was started with. Standard library only, and one process that
forks must have one thread: this is for the guardian.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence

from cartridge.targets.process import marks, wire

PDEATHSIG, SET_NAME, SUBREAPER = 1, 15, 36
"""Options of prctl(2): die with the parent; the name that `ps` shows; adopt orphaned descendants."""

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PIPE_SIZE = 1 << 20


def control(option: int, value: int | bytes) -> None:
    """Call prctl(2); does nothing where there is no such call."""
    if _LIBC is not None:
        _LIBC.prctl(option, value, 0, 0, 0)


class Log:
    """Appends to a file and, at its limit, moves it aside; keeps `wire.LOG_FILES`. A full disk loses lines, not us."""

    def __init__(self, path: str) -> None:
        self.path, self._lost = path, 0
        self._open()

    def write(self, data: bytes) -> None:
        """Append the bytes."""
        if self._size and self._size + len(data) > wire.LOG_LIMIT:
            self._rotate()
        try:
            if self._lost:
                os.write(self._file, b"[%d bytes lost: the log could not be written]\n" % self._lost)
                self._lost = 0
            self._size += os.write(self._file, data)
        except OSError:
            self._lost += len(data)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _open(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._size = os.fstat(self._file).st_size

    def _rotate(self) -> None:
        with contextlib.suppress(OSError):
            for number in range(wire.LOG_FILES - 1, 0, -1):
                older = f"{self.path}.{number - 1}" if number > 1 else self.path
                if os.path.exists(older):
                    os.replace(older, f"{self.path}.{number}")
        os.close(self._file)
        self._open()


class Child:
    """A component as the guardian knows it.

    Args:
        name: the component.
        digest: of what it is; the guardian only repeats it.
        argv: program (absolute path) and arguments.
        cwd: folder to run in.
        log: path of its log; `.1`, `.2` are added.
        stop: signal's number, and seconds until it is killed.
        depends_on: components that are ended after it.
        one_shot: whether ending with status 0 is what it is for.
    """

    def __init__(
        self,
        *,
        name: str,
        digest: str,
        argv: Sequence[str],
        cwd: str,
        log: str,
        stop: tuple[int, float],
        depends_on: Sequence[str],
        one_shot: bool,
    ) -> None:
        self.name, self.digest, self.argv, self.cwd = name, digest, list(argv), cwd
        self.log_path, self.depends_on, self.one_shot = log, list(depends_on), one_shot
        self.signal, self.grace = stop
        self.state, self.pid, self.start_time = "pending", 0, 0
        self.exit_status: int | None = None
        self.started, self.restarts = "", 0
        self.kill_at: float | None = None
        self.pipe, self.log = -1, None

    pipe: int
    log: Log | None

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self.state == "running"

    @property
    def is_ending(self) -> bool:
        """Whether it was told to end."""
        return self.kill_at is not None

    def describe(self) -> dict[str, object]:
        """Return what the client's `Look` holds."""
        return {
            "name": self.name,
            "digest": self.digest,
            "state": self.state,
            "pid": self.pid,
            "start_time": self.start_time,
            "exit_status": self.exit_status,
            "started": self.started,
            "restarts": self.restarts,
        }

    def start(self, environment: Mapping[str, str]) -> None:
        """Start the process, its output into `pipe`; `restarts` counts from its second start on.

        Raises:
            OSError: the program cannot be run.
        """
        reading, writing = os.pipe()
        try:
            if sys.platform == "linux":
                with contextlib.suppress(OSError):  # over the user's quota of pipe pages: the usual 64 KiB will do
                    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
            os.set_blocking(reading, False)
            self.pid = spawn(self.argv, environment, self.cwd, writing)
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self.restarts += 1 if self.started else 0
        self.log, self.pipe = Log(self.log_path), reading
        self.state, self.exit_status, self.kill_at = "running", None, None
        self.start_time = marks.start_time(self.pid)
        self.started = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())

    def pump(self) -> bool:
        """Move what the pipe holds into the log; return whether more may come."""
        if self.log is None:
            return False
        try:
            data = os.read(self.pipe, _PIPE_SIZE)
        except BlockingIOError:
            return True
        if data:
            self.log.write(data)
        return bool(data)

    def end(self, now: float, patience: float) -> None:
        """Ask the process to end, and remember when to stop being patient: after its grace, or sooner."""
        self.kill_at = now + min(self.grace, patience)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, self.signal)
            os.kill(self.pid, signal.SIGCONT)  # a paused process cannot hear

    def kill(self) -> None:
        """Kill the process and all of its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def ended(self, status: int) -> None:
        """Note that the process has ended; `status` is the exit status, or minus the signal."""
        if self.log is not None:
            self._drain()
            os.close(self.pipe)
            self.log.close()
        self.log, self.pipe, self.pid, self.exit_status = None, -1, 0, status
        if self.is_ending:
            self.state = "stopped"
        else:
            self.state = "done" if self.one_shot and status == 0 else "failed"
        self.kill_at = None

    def _drain(self) -> None:
        """Take the last words. A descendant that still writes is not waited for."""
        for _ in range(4):
            before = self.log._size if self.log else 0
            if not self.pump() or (self.log and self.log._size == before):
                return


def spawn(argv: Sequence[str], environment: Mapping[str, str], cwd: str, output: int) -> int:
    """Start a program that dies when this process does, in a session of its own; return its pid.

    Raises:
        OSError: the program cannot be run, or the folder is not there.
    """
    parent = os.getpid()
    failed, failure = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _become(argv, environment, cwd, output, parent)
        except OSError as error:
            os.write(failure, f"{error.errno} {error.filename or argv[0]}".encode())
        finally:
            os._exit(127)
    os.close(failure)
    with open(failed, "rb") as file:
        said = file.read().decode()  # ends at the exec, which closes the other side
    if said:
        os.waitpid(pid, 0)
        number, _, name = said.partition(" ")
        raise OSError(int(number), os.strerror(int(number)), name)
    return pid


def _become(argv: Sequence[str], environment: Mapping[str, str], cwd: str, output: int, parent: int) -> None:
    signal.set_wakeup_fd(-1)  # ours alone: a signal to the child must not wake the guardian
    os.setsid()
    control(PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked to be told
        os._exit(127)
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(cwd)
    os.execve(argv[0], list(argv), dict(environment))  # noqa: S606 - an argument list, and no shell is what is wanted
