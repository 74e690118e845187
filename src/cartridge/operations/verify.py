"""`verify`: how far a stack is pinned, resource by resource, and whether what is here is what was pinned."""

from __future__ import annotations

from cartridge.artifacts import grades
from cartridge.errors import InputError
from cartridge.operations.access import programs
from cartridge.operations.access.context import Context
from cartridge.operations.results.reports import VerifyLine, VerifyResult


def verify(context: Context, *, require: str | None = None) -> VerifyResult:
    """Grade every artifact, cartridge and template of the chosen stack; hashes every byte in the store.

    Args:
        context: of this run.
        require: the grade wanted; judging it is the caller's.

    Raises:
        InputError: `grade-unknown`.
    """
    known = tuple(grade.value for grade in grades.ORDER)
    if require is not None and require not in known:
        raise InputError(
            f"there is no grade `{require}`", code="grade-unknown", resolution=f"one of {', '.join(known)}"
        )
    stack, held = context.resolved(), programs.lock(context)
    with context.recorder.step("verify", "hashing what is in the store"):
        graded = (
            *grades.verify(stack.artifacts, held, programs.sources(context)),
            *grades.verify_inputs(programs.locked_inputs(stack.inputs), held),
        )
    lines = tuple(VerifyLine(one.resource, one.grade.value, one.detail, one.wrong) for one in graded)
    return VerifyResult(grades.lowest(one.grade for one in graded).value, lines)
