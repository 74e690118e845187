"""`check`: every finding in the documents, errors and warnings."""

from __future__ import annotations

from cartridge.errors import DocumentsError
from cartridge.operations.access.context import Context
from cartridge.operations.results.reports import CheckResult


def check(context: Context) -> CheckResult:
    """Read and check every document, and resolve every stack; findings are the answer, not an error."""
    from cartridge.workspace.resolve import resolve

    try:
        workspace = context.workspace()
    except DocumentsError as error:
        return CheckResult(0, error.findings)
    findings = list(workspace.warnings)
    for name in workspace.stacks:
        try:
            resolve(workspace, name)
        except DocumentsError as error:
            findings += error.findings
    return CheckResult(
        len(workspace.stacks) + sum(len(each) for each in workspace.cartridges.values()), tuple(findings)
    )
