"""What the verbs answer, beside `up`, `down` and `ps` (`results`): frozen, printed as they are by `-o json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from cartridge.errors import Finding
from cartridge.plan.change import Change


class PlanResult(Struct, frozen=True):
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


class ConnectResult(Struct, frozen=True):
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


class CheckResult(Struct, frozen=True):
    """All findings in the documents."""

    documents: int
    findings: tuple[Finding, ...]


class LockLine(Struct, frozen=True):
    """One entry of the lock: what it pins, how, and what `lock` did to it (`kept`, `added`, `updated`, `drifted`)."""

    artifact: str
    platform: str
    channel: str
    version: str
    digest: str
    change: str = "kept"
    reason: str = ""


class LockResult(Struct, frozen=True):
    """The lock, and whether it was in step with the cartridges before."""

    lines: tuple[LockLine, ...]
    in_step: bool
    written: bool


class VerifyLine(Struct, frozen=True):
    """How far one resource is pinned (`config`, `inputs`, `build`, `data`); `wrong` says what does not match."""

    resource: str
    grade: str
    detail: str
    wrong: str = ""


class VerifyResult(Struct, frozen=True):
    """The lowest grade of all resources is the stack's."""

    grade: str
    lines: tuple[VerifyLine, ...]


class Orphan(Struct, frozen=True):
    """Something a dead run left: `kind` is process, container, network, volume, folder, lock or lease."""

    kind: str
    identity: str
    stack: str
    reason: str
    removed: bool


class GcResult(Struct, frozen=True):
    """What `gc` found, and removed unless it was a dry run."""

    orphans: tuple[Orphan, ...]


class DoctorLine(Struct, frozen=True):
    """One question about this machine: `verdict` is passed, failed, could_not_run or skipped."""

    subject: str
    verdict: str
    detail: str
    resolution: str = ""


class DoctorResult(Struct, frozen=True):
    """Everything `doctor` looked at."""

    lines: tuple[DoctorLine, ...]


class ShowResult(Struct, frozen=True):
    """A named product of the pipeline as text: `workspace`, `stack`, `plan`, `bundle`."""

    product: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)


class RenderedFileView(Struct, frozen=True):
    """A rendered file: `component/path`, its text and its SHA-256."""

    path: str
    text: str
    sha256: str


class RenderResult(Struct, frozen=True):
    """Everything rendered for a stack."""

    digest: str
    files: tuple[RenderedFileView, ...]
