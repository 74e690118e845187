"""Finds out who has a port, for the error that says so. Reads /proc, nothing else; knows nothing without it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from cartridge.errors import MissingError

LISTENING = "0A"
"""State of a listening socket in /proc/net/tcp."""


def taken(component: str, port: str, number: int, why: str, claim: str = "") -> MissingError:
    """Return the error that port `number`, wanted for `port` of `component`, is somebody else's.

    Args:
        component: who wants it.
        port: its name there.
        number: 0 where no port at all is free.
        why: what the system said, for where it is not known who has it.
        claim: the abstract socket (as /proc/net/unix shows it) of a stack that holds the port without listening.
    """
    if not number:
        return MissingError(
            f"there is no free port for `{port}` of `{component}`",
            code="port-taken",
            resolution="end something that listens; `ss -ltn` shows what does",
        )
    owner = owner_of(number, claim)
    who = f"by {owner}" if owner else f"({why[:1].lower()}{why[1:]})"
    return MissingError(
        f"port {number}, wanted for `{port}` of `{component}`, is taken {who}",
        code="port-taken",
        resolution="end that program, or leave the port out of the stack's `ports` and take a free one",
    )


def owner_of(number: int, claim: str = "") -> str:
    """Return who has a TCP port, such as "`bitcoind` (process 812)"; "" where /proc does not tell."""
    sockets = set(_tcp(number)) | set(_claims(claim))
    for pid in (entry for entry in _listing("/proc") if entry.isdigit()):
        for descriptor in _listing(f"/proc/{pid}/fd"):
            if _target(f"/proc/{pid}/fd/{descriptor}") in sockets:
                return f"`{_read(Path(f'/proc/{pid}/comm')).strip()}` (process {pid})"
    return ""


def _tcp(number: int) -> Iterator[str]:
    """Yield the sockets on the port as their links in /proc read: those that listen, or else any."""
    found: dict[bool, list[str]] = {True: [], False: []}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in _read(Path(table)).splitlines()[1:]:
            fields = line.split()
            if int(fields[1].rpartition(":")[2], 16) == number:
                found[fields[3] == LISTENING].append(f"socket:[{fields[9]}]")
    yield from found[True] or found[False]


def _claims(name: str) -> Iterator[str]:
    for line in _read(Path("/proc/net/unix")).splitlines():
        fields = line.split()
        if fields[-1] == name:
            yield f"socket:[{fields[-2]}]"


def _listing(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
