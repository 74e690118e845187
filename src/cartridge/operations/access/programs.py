"""The programs of a stack: what the lock says of them, and having them on this machine.

Joins the project's folders and settings with `artifacts`; decides nothing about channels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cartridge.artifacts.installed import Installed
from cartridge.artifacts.pins import Lock, decode
from cartridge.artifacts.sources import Sources
from cartridge.artifacts.store import Store
from cartridge.model.target import Target
from cartridge.operations.access.context import Context
from cartridge.plan.digest import digest
from cartridge.workspace.bundled import bundled
from cartridge.workspace.resolved import ResolvedStack

if TYPE_CHECKING:
    from cartridge.model.artifact import Artifact

LOCK = "cartridge.lock"


def lock_path(context: Context) -> Path:
    """Return the lock in force: the project's, or the shipped one where the project has none."""
    own = context.project.root / LOCK
    return own if own.exists() else bundled() / LOCK


def lock(context: Context) -> Lock:
    """Return the lock in force.

    Raises:
        InputError: `lock-unreadable`.
    """
    path = lock_path(context)
    return decode(path.read_bytes() if path.exists() else b"", context.project.display(path))


def lock_digest(context: Context) -> str:
    """Return the SHA-256 (hex) of the lock in force, as leases carry it."""
    path = lock_path(context)
    return hashlib.sha256(path.read_bytes() if path.exists() else b"").hexdigest()


def sources(context: Context) -> Sources:
    """Return what the channels draw on here."""
    own = context.project.root / "tools"
    return Sources(
        store=Store(context.settings.store),
        tools=own if own.is_dir() else bundled() / "tools",
        recorder=context.recorder,
        clock=context.clock,
        offline=context.options.offline,
        mirror=context.settings.mirror or "",
        search=context.settings.path,
        stopped=context.cancelled,
    )


def pins(context: Context, stack: ResolvedStack) -> Mapping[str, str]:
    """Return the digest of the lock's entry for each artifact of the stack; "" for one that has none."""
    held = lock(context)
    return {name: digest(held.artifacts[name]) if name in held.artifacts else "" for name in stack.artifacts}


def locked_inputs(inputs: Mapping[str, str]) -> Mapping[str, str]:
    """Return those of a workspace's inputs that the lock pins: cartridges and templates, not the stacks themselves."""
    return {path: value for path, value in inputs.items() if path.startswith(("cartridges/", "templates/"))}


def refuse_drift(context: Context, stack: ResolvedStack) -> None:
    """Return where the lock pins what the stack's documents, templates and Go modules say now.

    Raises:
        InputError: `lock-drift`, naming everything that differs; `lock-unreadable`.
    """
    from cartridge.artifacts import lock as locks

    wanted = locks.Wanted(stack.artifacts, locked_inputs(stack.inputs))
    locks.refuse_drift(locks.check(lock(context), wanted, sources(context).tools))


def ensure(context: Context, stack: ResolvedStack) -> Mapping[str, Installed]:
    """Return every program the stack needs, by artifact: fetched or built first where it is not in the store.

    Raises:
        InputError: `lock-drift`.
        MissingError: `artifact-unavailable` and its kin.
    """
    from cartridge.artifacts import toolchain
    from cartridge.artifacts.install import ensure_all

    held, drawn = lock(context), sources(context)
    run = {component.artifact for component in stack.components}
    inside = {name: artifact for name, artifact in stack.artifacts.items() if name in run}
    beside: dict[str, Artifact] = {name: artifact for name, artifact in stack.artifacts.items() if name not in run}
    is_image = stack.target is Target.DOCKER
    if not is_image:
        return ensure_all({**inside, **beside}, held, drawn)
    beside[toolchain.PULUMI] = toolchain.PULUMI_DECLARATION
    inside[toolchain.HOLD] = toolchain.HOLD_DECLARATION
    return {**ensure_all(inside, held, drawn, for_image=True), **ensure_all(beside, held, drawn)}


def tool(context: Context, name: str, *, for_image: bool = False) -> Path:
    """Return the path of one of the engine's own tools (see `artifacts.toolchain`), made first where it is not there.

    Raises: what `ensure` raises.
    """
    from cartridge.artifacts import toolchain
    from cartridge.artifacts.install import ensure as one

    declared = toolchain.TOOLS[name]
    return one(name, declared, lock(context), sources(context), for_image=for_image).binaries[name]
