"""Knows processes by what nobody can forge by accident: the marks in their environment, and pid with start time.

Reads /proc and signals; keeps no state, looks only at processes of this user. Where there is no /proc it finds
nothing. Standard library only: the guardian uses it.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterable

from cartridge.targets.process import wire

_KERNEL_THREAD = 0x0020_0000
"""PF_KTHREAD among the flags of /proc/<pid>/stat."""


class Marked:
    """A process that carries a mark.

    Attributes:
        pid: its id.
        started: when it started, in clock ticks since boot; with the pid it is unique.
        stack: the stack it belongs to.
        component: the component it belongs to; "" for a guardian.
    """

    __slots__ = ("component", "pid", "stack", "started")

    def __init__(self, pid: int, started: int, stack: str, component: str) -> None:
        self.pid, self.started, self.stack, self.component = pid, started, stack, component


def start_time(pid: int) -> int:
    """Return when the process started, in clock ticks since boot; 0 where it is gone or nobody can tell."""
    try:
        return int(_read(pid, "stat").rpartition(b")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0


def components(
    stack: str | None = None, component: str | None = None, pids: Iterable[int] | None = None
) -> list[Marked]:
    """Return the processes of components.

    Args:
        stack: only of this stack.
        component: only of this component.
        pids: look only at these; None looks at all of the machine's.
    """
    return _find(wire.STACK_MARK, stack, component, pids)


def guardians(stack: str | None = None) -> list[Marked]:
    """Return the guardians (each with its watcher, which is one more process), or those of one stack."""
    return _find(wire.GUARDIAN_MARK, stack, None, None)


def kill(found: Marked) -> bool:
    """Kill exactly that process, never a later one with its pid; return whether it was there."""
    try:
        handle = os.pidfd_open(found.pid)
    except OSError:
        return False
    try:
        if start_time(found.pid) != found.started:
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def sweep(stack: str) -> list[Marked]:
    """Kill every process of the stack's components, until a look finds none; return those killed."""
    killed: list[Marked] = []
    for _ in range(100):  # a process may fork while it is looked for; it cannot win a hundred times
        found = [process for process in components(stack) if kill(process)]
        if not found:
            break
        killed += found
        for process in found:
            _wait_gone(process)
    return killed


def own_children() -> list[int]:
    """Return the pids of this process's children, those that others left to it included."""
    pid = os.getpid()
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def _find(mark: str, stack: str | None, component: str | None, pids: Iterable[int] | None) -> list[Marked]:
    if pids is None:
        pids = [int(name) for name in _entries("/proc") if name.isdigit()]
    found = []
    for pid in pids:
        variables = _environment(pid)
        owner, name = variables.get(mark, ""), variables.get(wire.COMPONENT_MARK, "")
        if mark == wire.STACK_MARK and not name:
            continue  # users set CARTRIDGE_STACK to choose a stack; their shells are no components
        if owner and stack in (None, owner) and component in (None, name):
            found.append(Marked(pid, start_time(pid), owner, name))
    return found


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _environment(pid: int) -> dict[str, str]:
    """Return the marks among a process's variables; nothing of another user's or of one that is gone."""
    try:
        if os.stat(f"/proc/{pid}").st_uid != os.getuid():
            return {}
        raw = _read(pid, "environ")
        for _ in range(50):
            if raw or not _is_between_programs(pid):
                break
            select.select([], [], [], 0.001)
            raw = _read(pid, "environ")
    except OSError:
        return {}
    if b"CARTRIDGE_" not in raw:
        return {}
    pairs = (entry.partition(b"=") for entry in raw.split(b"\0"))
    return {name.decode("utf-8", "replace"): value.decode("utf-8", "replace") for name, _, value in pairs}


def _is_between_programs(pid: int) -> bool:
    """Tell whether the process has just left one program for another: for a moment its variables read empty."""
    if _read(pid, "cmdline"):
        return False
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return fields[0] not in (b"Z", b"X") and not int(fields[6]) & _KERNEL_THREAD


def _read(pid: int, name: str) -> bytes:
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()


def _wait_gone(process: Marked) -> None:
    """Return when the process has ended, or after a second."""
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        if start_time(process.pid) == process.started:
            select.select([handle], [], [], 1.0)
    finally:
        os.close(handle)
