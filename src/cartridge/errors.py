"""Every failure a user can meet, as one tree; what each means to the exit status.

```
CartridgeError                  brief, details, resolution, mark; `code` names its page in docs/errors/
├── InputError            2     the user's files or flags are wrong
│   └── DocumentsError    2     several findings at once, each with its own code and mark
├── MissingError          3     something needed is not there (Docker, an artifact, a port)
├── ApplyError            4     applying a plan failed
├── UnknownVerdictError   5     it could not be found out
└── InterruptError   130     Ctrl-C
```

A class per reaction, not per sentence: the sentence is the `brief`, the stable name is the `code`.
This module never prints, never reads a file and imports nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum, unique

from msgspec import Struct


@unique
class ExitStatus(IntEnum):
    """What the process answers to its caller (docs/reference/exit-status.md)."""

    FINE = 0
    VERDICT_FAILED = 1
    INPUT_WRONG = 2
    MISSING = 3
    APPLY_FAILED = 4
    COULD_NOT_RUN = 5
    CHANGES = 10
    BUG = 70
    INTERRUPTED = 130


class Mark(Struct, frozen=True, order=True):
    """Where a value came from: a file's path as the user would type it, line and column from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"  # the document cannot be used
    WARNING = "warning"  # it can, but probably not as meant


class Finding(Struct, frozen=True):
    """One thing wrong with a document.

    Attributes:
        code: stable slug; `docs/errors/<code>.md` explains it.
        brief: one sentence without a full stop; literals in backticks.
        mark: where, or None for a whole file that could not be read.
        resolution: what to do about it, in the imperative.
        snippet: the source line at the mark, as written ("" where there is none).
        severity: error or warning.
    """

    code: str
    brief: str
    mark: Mark | None = None
    resolution: str = ""
    snippet: str = ""
    severity: Severity = Severity.ERROR


@dataclass(eq=False)
class CartridgeError(Exception):
    """Base of all failures that have a sentence for the user.

    Attributes:
        brief: one sentence, no full stop; literals in backticks.
        code: stable slug with a page in docs/errors/.
        details: further lines, such as the last lines of a log.
        resolution: what to do about it, in the imperative.
        mark: the place in the user's file, where there is one.
    """

    brief: str
    code: str = "error"
    details: tuple[str, ...] = ()
    resolution: str = ""
    mark: Mark | None = None
    exit_status: ExitStatus = field(default=ExitStatus.BUG, init=False)

    def __post_init__(self) -> None:
        super().__init__(self.brief)

    def __str__(self) -> str:
        return self.brief


@dataclass(eq=False)
class InputError(CartridgeError):
    """The user's files or flags are wrong."""

    exit_status: ExitStatus = field(default=ExitStatus.INPUT_WRONG, init=False)


@dataclass(eq=False)
class DocumentsError(InputError):
    """All findings of a workspace at once, in file and line order."""

    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, findings: tuple[Finding, ...]) -> DocumentsError:
        """Return the error that reports `findings`, at least one of them of severity error."""
        count = len([finding for finding in findings if finding.severity is Severity.ERROR])
        brief = f"{count} problem{'s' if count != 1 else ''} in your documents"
        return cls(brief, code="documents-invalid", findings=findings)


@dataclass(eq=False)
class MissingError(CartridgeError):
    """Something needed is not there."""

    exit_status: ExitStatus = field(default=ExitStatus.MISSING, init=False)


@dataclass(eq=False)
class ApplyError(CartridgeError):
    """A plan could not be applied; what was made is kept, with its logs, for a look."""

    exit_status: ExitStatus = field(default=ExitStatus.APPLY_FAILED, init=False)


@dataclass(eq=False)
class UnknownVerdictError(CartridgeError):
    """It could not be found out; nobody may read this as success."""

    exit_status: ExitStatus = field(default=ExitStatus.COULD_NOT_RUN, init=False)


@dataclass(eq=False)
class InterruptError(CartridgeError):
    """Ctrl-C: whatever was under way was ended in order."""

    brief: str = "interrupted"
    code: str = "interrupted"
    exit_status: ExitStatus = field(default=ExitStatus.INTERRUPTED, init=False)
