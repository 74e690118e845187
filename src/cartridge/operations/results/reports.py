"""What the verbs answer, beside `up`, `down` and `ps` (`results`): frozen, printed as they are by `-o json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cartridge.errors import Finding
from cartridge.plan.change import Change


@dataclass(frozen=True, slots=True)
class PlanResult:
    """What `plan` would have `up` do; `drift` are resources that are not as the last `up` left them."""

    stack: str
    target: str
    changes: tuple[Change, ...]
    drift: tuple[Change, ...] = ()
    digest: str = ""

    @property
    def has_changes(self) -> bool:
        """Whether `up` would do anything."""
        return any(change.kind != "keep" for change in (*self.changes, *self.drift))


@dataclass(frozen=True, slots=True)
class ConnectResult:
    """What a client needs to reach a node. Values are paths and addresses; a secret is only where asked for.

    Attributes:
        component: the node.
        environment: variables to export.
        uris: by kind: `lndconnect`, `p2p`, `rpc`.
        files: by kind: `tls_cert`, `admin_macaroon`, `config`, `data`, `log`.
        commands: ready-made command lines.
    """

    component: str
    environment: Mapping[str, str]
    uris: Mapping[str, str]
    files: Mapping[str, str]
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """All findings in the documents."""

    documents: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class LockLine:
    """One entry of the lock: what it pins, how, and what `lock` did to it (`kept`, `added`, `updated`, `drifted`)."""

    artifact: str
    platform: str
    channel: str
    version: str
    digest: str
    change: str = "kept"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LockResult:
    """The lock, and whether it was in step with the cartridges before."""

    lines: tuple[LockLine, ...]
    in_step: bool
    written: bool


@dataclass(frozen=True, slots=True)
class VerifyLine:
    """How far one resource is pinned (`config`, `inputs`, `build`, `data`); `wrong` says what does not match."""

    resource: str
    grade: str
    detail: str
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """The lowest grade of all resources is the stack's."""

    grade: str
    lines: tuple[VerifyLine, ...]


@dataclass(frozen=True, slots=True)
class Orphan:
    """Something a dead run left: `kind` is process, container, network, volume, folder, lock or lease."""

    kind: str
    identity: str
    stack: str
    reason: str
    removed: bool


@dataclass(frozen=True, slots=True)
class GcResult:
    """What `gc` found, and removed unless it was a dry run."""

    orphans: tuple[Orphan, ...]


@dataclass(frozen=True, slots=True)
class DoctorLine:
    """One question about this machine: `verdict` is passed, failed, could_not_run or skipped."""

    subject: str
    verdict: str
    detail: str
    resolution: str = ""


@dataclass(frozen=True, slots=True)
class DoctorResult:
    """Everything `doctor` looked at."""

    lines: tuple[DoctorLine, ...]


@dataclass(frozen=True, slots=True)
class ShowResult:
    """A named product of the pipeline as text: `workspace`, `stack`, `plan`, `bundle`."""

    product: str
    text: str
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RenderedFileView:
    """A rendered file: `component/path`, its text and its SHA-256."""

    path: str
    text: str
    sha256: str


@dataclass(frozen=True, slots=True)
class RenderResult:
    """Everything rendered for a stack."""

    digest: str
    files: tuple[RenderedFileView, ...]
