"""A shell for golden cases: one command line over `FakeVerbs`, and everything it said, as text.

A case is a file such as

    $ CI=1 cartridge down --yes
    world: empty
    --- stdout
    nothing was up
    --- stderr
    --- status 0

`world` names one of `WORLDS`; `tty: yes` makes all three streams terminals; `stdin` is what a person types.
`python -m tests.doubles.shell` plays every case in tests/cases/cli again and writes what came out: read the diff.
"""

from __future__ import annotations

import contextlib
import errno
import io
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cartridge.errors import (
    ApplyError,
    DocumentsError,
    Finding,
    InputError,
    InterruptError,
    Mark,
    MissingError,
    Severity,
    UnknownVerdictError,
)
from cartridge.surfaces.cli.app import run
from cartridge.workspace import settings
from tests.doubles.verbs import STACK, FakeVerbs, no_stack

CASES = Path(__file__).parents[1] / "cases" / "cli"

FINDINGS = (
    Finding(
        "key-unknown",
        "`chanels` is no key of a network",
        Mark("stacks/shop.yaml", 12, 3),
        "did you mean `channels`?",
        "  chanels:",
    ),
    Finding("unused-binding", "setting `x` is not asked for", Mark("stacks/shop.yaml", 20), severity=Severity.WARNING),
)

WORLDS: Mapping[str, Callable[[], FakeVerbs]] = {
    "well": FakeVerbs,
    "up-again": lambda: FakeVerbs(up_again=True),
    "empty": lambda: FakeVerbs(empty=True),
    "drifted": lambda: FakeVerbs(drifted=True),
    "two-stacks": lambda: FakeVerbs(stacks=(STACK, "shop-77aa01")),
    "findings": lambda: FakeVerbs(findings=FINDINGS),
    "bad-documents": lambda: FakeVerbs(failing=DocumentsError.of(FINDINGS)),
    "no-stack": lambda: FakeVerbs(failing=no_stack()),
    "input-wrong": lambda: FakeVerbs(
        failing=InputError(
            "port 9735 is given twice",
            code="port-twice",
            mark=Mark("stacks/shop.yaml", 12, 3),
            resolution="give each node a port of its own",
        )
    ),
    "missing": lambda: FakeVerbs(
        failing=MissingError("Docker does not answer", code="docker-down", resolution="start it")
    ),
    "apply-failed": lambda: FakeVerbs(
        failing=ApplyError(
            "`bob` ended with status 1 before it was ready",
            code="component-failed",
            details=("unable to open wallet", "", "invalid passphrase"),
            resolution="read `cartridge logs bob`",
        )
    ),
    "unknown": lambda: FakeVerbs(failing=UnknownVerdictError("gave up waiting for alice", code="wait-timeout")),
    "disk-full": lambda: FakeVerbs(failing=OSError(errno.ENOSPC, "No space left on device", "/home/me/.cache/lnd")),
    "not-permitted": lambda: FakeVerbs(failing=PermissionError(errno.EACCES, "Permission denied", "/var/run/x.sock")),
    "interrupted": lambda: FakeVerbs(failing=InterruptError()),
    "ctrl-c": lambda: FakeVerbs(failing=KeyboardInterrupt()),
}


class Stream(io.TextIOWrapper):
    """A stream in memory that says it is a terminal, where it is meant to be one."""

    def __init__(self, text: str = "", *, terminal: bool = False) -> None:
        self._bytes, self._terminal = io.BytesIO(text.encode()), terminal
        super().__init__(self._bytes, encoding="utf-8", newline="", write_through=True)

    def getvalue(self) -> str:
        """Return everything that was written."""
        return self._bytes.getvalue().decode()

    def isatty(self) -> bool:
        """Return whether it is one."""
        return self._terminal


@dataclass(frozen=True)
class Said:
    """What a command line said, and how it ended."""

    stdout: str
    stderr: str
    status: int


def say(
    line: str,
    verbs: FakeVerbs | None = None,
    *,
    terminal: bool = False,
    typed: str = "",
    environment: Mapping[str, str] | None = None,
) -> Said:
    """Run `line`, such as `cartridge ps`, and return what it said."""
    out, err = Stream(terminal=terminal), Stream(terminal=terminal)
    before, sys.stdin = sys.stdin, Stream(typed, terminal=terminal)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = run(shlex.split(line)[1:], verbs or FakeVerbs(), settings.read(environment or {}))
    finally:
        sys.stdin = before
    return Said(out.getvalue(), err.getvalue(), status)


@dataclass(frozen=True)
class Case:
    """A golden case as its file has it."""

    line: str
    environment: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Case:
        """Read the head of a case."""
        head = path.read_text(encoding="utf-8").partition("\n--- ")[0].splitlines()
        words = shlex.split(head[0].removeprefix("$ "))
        start = words.index("cartridge")
        environment = dict(word.split("=", 1) for word in words[:start])
        options = dict(line.split(": ", 1) for line in head[1:])
        return cls(shlex.join(words[start:]), environment, options)

    def play(self) -> Said:
        """Run it."""
        return say(
            self.line,
            WORLDS[self.options.get("world", "well")](),
            terminal="tty" in self.options,
            typed=self.options.get("stdin", "") + "\n" if "stdin" in self.options else "",
            environment=self.environment,
        )


def played(path: Path) -> str:
    """Return the whole text of a case as it comes out now."""
    head = path.read_text(encoding="utf-8").partition("\n--- ")[0].rstrip("\n")
    said = Case.read(path).play()
    return f"{head}\n--- stdout\n{said.stdout}--- stderr\n{said.stderr}--- status {said.status}\n"


def main() -> None:
    """Write every case anew."""
    for path in sorted(CASES.glob("*.txt")):
        path.write_text(played(path), encoding="utf-8")


if __name__ == "__main__":
    main()
