"""`doctor`: does this machine have what stacks need, and how to get what is missing. Changes nothing."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from cartridge import spawn
from cartridge.errors import CartridgeError
from cartridge.operations.access.context import Context
from cartridge.operations.results.reports import DoctorLine, DoctorResult

ROOM = 4 * 1024**3
"""Bytes the store needs at most while it builds everything."""


def doctor(context: Context) -> DoctorResult:
    """Return a verdict on each thing a stack may need here."""
    lines = [check(context) for check in (_python, _store, _runtime, _docker, _go, _nix, _documents)]
    return DoctorResult(tuple(lines))


def _python(_: Context) -> DoctorLine:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return DoctorLine("python", "passed", version)


def _store(context: Context) -> DoctorLine:
    folder = _existing(context.settings.store)
    free = shutil.disk_usage(folder).free
    detail = f"{context.settings.store}: {free / 1024**3:.1f} GiB free"
    if not os.access(folder, os.W_OK):
        return DoctorLine("store", "failed", detail, f"make `{folder}` writable, or set CARTRIDGE_STORE")
    if free < ROOM:
        return DoctorLine("store", "failed", detail, "free some space (4 GiB while building), or set CARTRIDGE_STORE")
    return DoctorLine("store", "passed", detail)


def _runtime(context: Context) -> DoctorLine:
    from cartridge.targets.process.runtime import make_private

    try:
        make_private(context.settings.runtime)
    except CartridgeError as error:
        return DoctorLine("process target", "failed", error.brief, error.resolution)
    return DoctorLine("process target", "passed", f"sockets in {context.settings.runtime}")


def _docker(context: Context) -> DoctorLine:
    from cartridge.targets.docker.client import connect

    try:
        version = connect().version()
    except CartridgeError as error:
        verdict = "failed" if context.options.target == "docker" else "skipped"
        return DoctorLine("docker target", verdict, error.brief, error.resolution)
    return DoctorLine("docker target", "passed", f"Docker Engine {version['Version']}")


def _go(context: Context) -> DoctorLine:
    return _program(
        context, "go", ["go", "version"], "not on PATH; fetched as a package when something must be built", needed=False
    )


def _nix(context: Context) -> DoctorLine:
    return _program(
        context, "nix", ["nix-prefetch-url", "--version"], "not on PATH; hashes are made here", needed=False
    )


def _documents(context: Context) -> DoctorLine:
    from cartridge.operations.check import check

    found = check(context).findings
    errors = [finding for finding in found if finding.severity == "error"]
    if errors:
        return DoctorLine("documents", "failed", f"{len(errors)} problems", "`cartridge check` shows them")
    return DoctorLine("documents", "passed", str(context.project.root))


def _program(context: Context, subject: str, argv: list[str], missing: str, *, needed: bool) -> DoctorLine:
    try:
        done = spawn.run(argv, timeout=10.0)
    except CartridgeError:
        return DoctorLine(subject, "failed" if needed else "skipped", missing)
    said = (done.stdout or done.stderr).strip().splitlines()
    return DoctorLine(subject, "passed" if done.status == 0 else "could_not_run", said[0] if said else "")


def _existing(folder: Path) -> Path:
    """Return the nearest folder that exists at or above `folder`."""
    return next((path for path in (folder, *folder.parents) if path.is_dir()), Path("/"))
