"""The one door to other programs: argument lists in, a finished or running process out.

Never a shell, never a secret on a command line, never the caller's whole environment unless asked for.
The guardian (`targets.process.guardian`) has its own door, because it must import nothing of ours.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from msgspec import Struct

from cartridge.errors import ApplyError, MissingError, UnknownVerdictError


class Finished(Struct, frozen=True):
    """A program that ended: its exit status and what it said, decoded as UTF-8 with replacement."""

    argv: tuple[str, ...]
    status: int
    stdout: str
    stderr: str


class Captured(Struct, frozen=True):
    """A program that ended: its exit status and the bytes it wrote."""

    status: int
    stdout: bytes
    stderr: bytes


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: str | None = None,
    timeout: float | None = None,
    check: bool = False,
) -> Finished:
    """Run `argv` to its end and return what it said.

    Args:
        argv: program and arguments; the program is looked up on PATH.
        cwd: folder to run in.
        environment: the whole environment of the child; None inherits ours.
        stdin: text to feed; None gives an empty input.
        timeout: seconds after which the child is killed.
        check: raise ApplyError on a status other than 0.

    Raises:
        MissingError: `program-missing`, the program is not there or may not be run; `folder-missing`, `cwd` is not.
        UnknownVerdictError: `program-timeout`.
        ApplyError: `program-failed`, only with `check`.
    """
    captured = capture(argv, cwd=cwd, environment=environment, stdin=(stdin or "").encode(), timeout=timeout)
    finished = Finished(tuple(argv), captured.status, _text(captured.stdout), _text(captured.stderr))
    if check and finished.status:
        tail = (finished.stderr or finished.stdout).strip().splitlines()[-10:]
        raise ApplyError(f"`{argv[0]}` ended with status {finished.status}", code="program-failed", details=tuple(tail))
    return finished


def capture(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    timeout: float | None = None,
) -> Captured:
    """Run `argv` to its end and return its bytes; the arguments mean what they mean to `run`.

    Raises:
        MissingError: `program-missing`.
        UnknownVerdictError: `program-timeout`.
    """
    try:
        done = subprocess.run(
            list(argv),
            cwd=cwd,
            env=None if environment is None else dict(environment),
            input=stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except OSError as error:
        raise _not_runnable(argv[0], cwd, error) from error
    except subprocess.TimeoutExpired as error:
        raise UnknownVerdictError(f"`{argv[0]}` did not end within {timeout:g} s", code="program-timeout") from error
    return Captured(done.returncode, done.stdout, done.stderr)


def attach(argv: Sequence[str], *, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> int:
    """Run `argv` on our own terminal and return its exit status; Ctrl-C is the program's to answer.

    Raises:
        MissingError: `program-missing`.
    """
    try:
        process = subprocess.Popen(list(argv), cwd=cwd, env=None if environment is None else dict(environment))
    except OSError as error:
        raise _not_runnable(argv[0], cwd, error) from error
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def start(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    output: IO[bytes] | int | None = None,
    session: bool = False,
) -> subprocess.Popen[bytes]:
    """Start `argv` and return it running; the caller waits for it.

    Args:
        argv: program and arguments.
        cwd: folder to run in.
        environment: the whole environment of the child; None inherits ours.
        output: where stdout and stderr go; None discards them.
        session: give the child a session of its own, so that a terminal's Ctrl-C does not reach it.

    Raises:
        MissingError: `program-missing`.
    """
    sink = subprocess.DEVNULL if output is None else output
    try:
        return subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=session,
        )
    except OSError as error:
        raise _not_runnable(argv[0], cwd, error) from error


class Dialogue:
    """A program that is told a line and answers with a line, several times; a context manager that ends it.

    Args:
        argv: program and arguments.

    Raises:
        MissingError: `program-missing`.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        self._name = argv[0]
        try:
            self._process = subprocess.Popen(
                list(argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except (FileNotFoundError, PermissionError) as error:
            raise _not_runnable(argv[0], None, error) from error

    def ask(self, line: bytes) -> bytes:
        """Say one line (its end is added) and return the line that comes back, without its end.

        Raises:
            ApplyError: `program-failed`, it ended instead of answering.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended; what it said about that is below
        answer = self._process.stdout.readline()
        if not answer.endswith(b"\n"):
            _, stderr = self._process.communicate()
            tail = _text(stderr).strip().splitlines()[-10:]
            raise ApplyError(f"`{self._name}` gave no answer", code="program-failed", details=tuple(tail))
        return answer.rstrip(b"\n")

    def __enter__(self) -> Dialogue:
        return self

    def __exit__(self, *exception: object) -> None:
        with self._process:
            if exception[0] is not None:
                self._process.kill()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _not_runnable(program: str, cwd: Path | None, error: OSError) -> MissingError:
    if cwd is not None and not cwd.is_dir():
        return MissingError(
            f"`{program}` cannot be run in `{cwd}`: there is no such folder",
            code="folder-missing",
            resolution=f"make the folder, or look why `{cwd.name}` is gone",
        )
    advice = "install" if isinstance(error, FileNotFoundError) else "look at the file and its permissions; or install"
    return MissingError(
        f"`{program}` cannot be run: {error.strerror}", code="program-missing", resolution=f"{advice} `{program}`"
    )
