"""Answers as JSON: `{"schema": "cartridge/<verb>/v1", …the result's fields}`.

Holds the few results that are the command line's own, and knows which type each verb answers with; the published
schemas (`surfaces.cli.schemas`) are made from that table. Never changes what an operation returned.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum

from cartridge.errors import Finding, Mark
from cartridge.operations.results import copies, networks, reports, stacks, topologies

VERSION = 1
"""Of every schema; a field may be added within it, nothing is renamed or removed."""


@dataclass(frozen=True, slots=True)
class ExplainResult:
    """The page of an error code, as Markdown."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class CodesResult:
    """Every error code there is."""

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InitResult:
    """The files `init` wrote, as paths in `folder`."""

    folder: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a component said, without its line feed; bytes that are no UTF-8 are replaced."""

    component: str
    line: str


@dataclass(frozen=True, slots=True)
class VersionResult:
    """Versions of Cartridge and of what it uses; empty where a program was not found."""

    cartridge: str
    python: str
    platform: str
    docker: str
    pulumi: str


@dataclass(frozen=True, slots=True)
class ErrorView:
    """What went wrong, field by field as `errors.CartridgeError` has it."""

    code: str
    brief: str
    exit_status: int
    details: tuple[str, ...] = ()
    resolution: str = ""
    mark: Mark | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorResult:
    """What every verb answers instead of its result when it failed."""

    error: ErrorView


TYPES: Mapping[str, type] = {
    "block-interval": networks.MiningResult,
    "channel-close": networks.ChannelCloseResult,
    "channel-open": networks.ChannelOpenResult,
    "channels": networks.ChannelsResult,
    "check": reports.CheckResult,
    "codes": CodesResult,
    "connect": reports.ConnectResult,
    "doctor": reports.DoctorResult,
    "down": stacks.DownResult,
    "error": ErrorResult,
    "explain": ExplainResult,
    "fork": copies.ForkResult,
    "faucet": networks.FaucetResult,
    "fee": networks.FeeResult,
    "fund": networks.FundResult,
    "gc": reports.GcResult,
    "init": InitResult,
    "invoice": networks.InvoiceResult,
    "lock": reports.LockResult,
    "logs": LogLine,
    "mine": networks.MineResult,
    "pay": networks.PayResult,
    "network-export": topologies.ExportResult,
    "network-graph": topologies.GraphResult,
    "network-import": topologies.ImportResult,
    "plan": reports.PlanResult,
    "ps": stacks.PsResult,
    "reorg": networks.ReorgResult,
    "render": reports.RenderResult,
    "restore": copies.RestoreResult,
    "show": reports.ShowResult,
    "snapshot": copies.SnapshotResult,
    "up": stacks.UpResult,
    "verify": reports.VerifyResult,
    "version": VersionResult,
    "wait": stacks.PsResult,
}
"""What `-o json` prints, by the name in its `schema`."""


def schema_name(answer: str) -> str:
    """Return the value of the `schema` field."""
    return f"cartridge/{answer}/v{VERSION}"


def as_json(answer: str, result: object, *, indent: int | None = 2) -> str:
    """Return a result as one JSON object and a line feed."""
    body = {"schema": schema_name(answer), **_fields(result)}
    return json.dumps(body, ensure_ascii=False, indent=indent) + "\n"


def _fields(value: object) -> dict[str, object]:
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} is no result")
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return _fields(value) if is_dataclass(value) else str(value)
