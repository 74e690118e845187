"""Answers as JSON: `{"schema": "cartridge/<verb>/v1", …the result's fields}`.

Holds the few results that are the command line's own, and knows which type each verb answers with; the published
schemas (`surfaces.cli.schemas`) are made from that table. Never changes what an operation returned.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from msgspec import Struct, to_builtins

from cartridge.errors import Finding, Mark
from cartridge.operations.results import copies, networks, reports, stacks, topologies

VERSION = 1
"""Of every schema; a field may be added within it, nothing is renamed or removed."""


class ExplainResult(Struct, frozen=True):
    """The page of an error code, as Markdown."""

    code: str
    text: str


class CodesResult(Struct, frozen=True):
    """Every error code there is."""

    codes: tuple[str, ...]


class InitResult(Struct, frozen=True):
    """The files `init` wrote, as paths in `folder`."""

    folder: str
    files: tuple[str, ...]


class LogLine(Struct, frozen=True):
    """One line that a component said, without its line feed; bytes that are no UTF-8 are replaced."""

    component: str
    line: str


class VersionResult(Struct, frozen=True):
    """Versions of Cartridge and of what it uses; empty where a program was not found."""

    cartridge: str
    python: str
    platform: str
    docker: str
    pulumi: str


class ErrorView(Struct, frozen=True):
    """What went wrong, field by field as `errors.CartridgeError` has it."""

    code: str
    brief: str
    exit_status: int
    details: tuple[str, ...] = ()
    resolution: str = ""
    mark: Mark | None = None
    findings: tuple[Finding, ...] = ()


class ErrorResult(Struct, frozen=True):
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


def as_json(answer: str, result: Struct, *, indent: int | None = 2) -> str:
    """Return a result as one JSON object and a line feed."""
    body = {"schema": schema_name(answer), **to_builtins(result, enc_hook=str)}
    return json.dumps(body, ensure_ascii=False, indent=indent) + "\n"
