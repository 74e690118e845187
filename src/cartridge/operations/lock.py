"""`lock`: bring `cartridge.lock` in step with the documents, or tell whether it is."""

from __future__ import annotations

from cartridge.artifacts import lock as locks
from cartridge.artifacts import toolchain
from cartridge.artifacts.lock import Wanted
from cartridge.artifacts.pins import Lock
from cartridge.errors import InputError
from cartridge.operations.access import programs
from cartridge.operations.access.context import Context
from cartridge.operations.results.reports import LockLine, LockResult
from cartridge.workspace.load import Workspace


def lock(
    context: Context, *, check: bool = False, update: tuple[str, ...] = (), all_entries: bool = False
) -> LockResult:
    """Compare the lock with the documents, and write it unless only asked to check.

    Args:
        context: of this run.
        check: change nothing.
        update: bring these entries to what their channels have now, and no other.
        all_entries: the same for every entry.

    Raises:
        InputError: `lock-unreadable`, `lock-name-unknown` for a name to update that nothing declares, or
            `project-missing`: the shipped lock is nobody's to write.
        MissingError: a channel that had to be asked did not answer.
    """
    workspace = context.workspace()
    wanted, path, drawn = wanted_of(context, workspace), context.project.root / programs.LOCK, programs.sources(context)
    held = _in_force(context)
    drifts = locks.check(held, wanted, drawn.tools, whole=True)
    if check:
        drifted = {drift.name: drift.reason for drift in drifts}
        return LockResult(_lines(held, drifted), in_step=not drifts, written=False)
    _refuse_elsewhere(context)
    names = None if all_entries else (update or tuple(drift.name for drift in drifts))
    with context.recorder.step("lock", "asking the channels"):
        fresh, changes = locks.update(held, wanted, drawn, names=names)
    is_new = fresh != held or not path.exists()
    if is_new:
        locks.write(path, fresh)
    lines = tuple(
        LockLine(one.artifact, one.platform, one.channel, one.version, one.digest, one.change, one.reason)
        for one in changes
    )
    return LockResult(lines or _lines(fresh, {}), in_step=not drifts, written=is_new)


def _refuse_elsewhere(context: Context) -> None:
    project = context.project
    if project.root == project.shipped and not project.start.is_relative_to(project.root):
        raise InputError(
            f"there is no project at `{project.start}` or above it, and so no lock to write",
            code="project-missing",
            resolution="go to your project's folder, or begin one with `cartridge init`",
        )


def _in_force(context: Context) -> Lock:
    """Return the project's lock; a project that has none yet begins with the programs that the shipped one pins."""
    held, path = programs.lock(context), programs.lock_path(context)
    return held if path.parent == context.project.root else Lock(held.artifacts)


def wanted_of(context: Context, workspace: Workspace) -> Wanted:
    """Return everything the lock must pin: the artifacts of every cartridge, the engine's tools, the inputs."""
    artifacts = {
        name: artifact
        for versions in workspace.cartridges.values()
        for file in versions.values()
        for name, artifact in file.document.artifacts.items()
    }
    return Wanted({**artifacts, **toolchain.TOOLS}, programs.locked_inputs(workspace.inputs))


def _lines(held: Lock, drifted: dict[str, str]) -> tuple[LockLine, ...]:
    lines = [
        LockLine(name, platform, pin.channel, pin.version, pin.source, _word(name, drifted), drifted.get(name, ""))
        for name, pinned in held.artifacts.items()
        for platform, pins in pinned.platforms.items()
        for pin in pins
    ]
    known = {line.artifact for line in lines}
    lines += [LockLine(name, "", "", "", "", "drifted", why) for name, why in drifted.items() if name not in known]
    return tuple(lines)


def _word(name: str, drifted: dict[str, str]) -> str:
    return "drifted" if name in drifted else "kept"
