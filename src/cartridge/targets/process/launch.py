"""Starts a guardian: takes the stack's lock, listens, and only then goes into the background.

When the launching process has ended with status 0 a client can connect. Run by the client as a program of its own,
with an isolated interpreter and without the site's packages. Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import sys

from cartridge.targets.process import child, marks, wire
from cartridge.targets.process.guardian import Guardian

HELD = 3
"""Exit status when another guardian of the stack lives, or its watcher still cleans up."""


def launch(stack: str, runtime: str, folder: str, expires: str, *belongings: str) -> Guardian | int:
    """Return the guardian in the background process, the exit status in the one that launched it.

    Args:
        stack: the stack's id.
        runtime: folder for socket and lock; its path is short.
        folder: the stack's own folder, where a crash is written down.
        expires: end of the lease, in seconds since 1970; "0" for never.
        belongings: paths to remove when the lease ends or the stack is destroyed.

    Raises:
        OSError: a folder or the socket cannot be made.
    """
    os.umask(0o077)
    lock = take_lock(runtime)
    if lock is None:
        return HELD
    os.makedirs(folder, mode=0o700, exist_ok=True)
    listener = _listen(stack, os.path.join(runtime, wire.SOCKET), os.path.join(folder, wire.LINK))
    crash = os.open(os.path.join(folder, wire.CRASH), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    if os.fork():
        return 0
    os.setsid()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for source, target in ((nothing, 0), (nothing, 1), (crash, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(crash)
    child.control(child.SET_NAME, b"cartridge-guard")
    child.control(child.SUBREAPER, 1)
    guardian = Guardian(stack, runtime, listener, lock)
    guardian.lease(float(expires), belongings)
    guardian.link = os.path.join(folder, wire.LINK)
    return guardian


def take_lock(runtime: str) -> int | None:
    """Return the descriptor of the lock in a runtime folder, or None where somebody has it.

    Raises:
        OSError: the folder cannot be made.
    """
    path = os.path.join(runtime, wire.LOCK)
    while True:
        os.makedirs(runtime, mode=0o700, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:  # its last holder has just removed the folder
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:
            pass
        os.close(descriptor)


def _listen(stack: str, path: str, link: str) -> socket.socket:
    if os.path.lexists(path) or os.path.lexists(link):  # the last guardian did not end well
        marks.sweep(stack)
        for stale in (path, link):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(stale)
    os.symlink(os.path.dirname(path), link)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    return listener


def main() -> None:
    """Launch with the arguments of the command line."""
    try:
        launched = launch(*sys.argv[1:])
    except OSError as error:
        sys.stderr.write(f"{error.strerror}: {error.filename or sys.argv[2]}\n")
        sys.stderr.flush()
        launched = 1
    if isinstance(launched, int):
        os._exit(launched)
    launched.run()  # an exception ends up, as its traceback, in the file that is our stderr
