"""Files to a workspace: found, read within bounds, validated and checked, with every finding of every file at once.

Which files: those of `-f` in order; the project's `stacks/*.yaml`, unless `-f` brought a stack; the project's
`cartridges/*/cartridge.yaml`; the shipped cartridges. Where two define the same cartridge version or stack, the one
of `-f` is taken (a later one before an earlier), then the project's, then the shipped one; two of the same rank are
an error. A template is looked up in the project's `templates/`, then among the shipped ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from cartridge.errors import DocumentsError, Finding, Mark, Severity
from cartridge.model.cartridge import Cartridge
from cartridge.workspace import checks, inputs
from cartridge.workspace.documents import CartridgeFile, StackFile, Workspace
from cartridge.workspace.expand import expand
from cartridge.workspace.parse import parse
from cartridge.workspace.project import Project, cartridge_files, stack_files
from cartridge.workspace.source import Source
from cartridge.workspace.validate import validate

__all__ = ["CartridgeFile", "Inspection", "StackFile", "Workspace", "inspect", "load"]

_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


class Inspection(Struct, frozen=True):
    """A workspace as far as it could be read, and everything found wrong with it, in file and line order."""

    workspace: Workspace
    findings: tuple[Finding, ...]


def load(project: Project, files: Sequence[str] = ()) -> Workspace:
    """Return the workspace of `project`.

    Args:
        project: where documents are.
        files: paths given with `-f`, in order; `-` is standard input.

    Raises:
        DocumentsError: all findings at once, warnings among them.
    """
    inspection = inspect(project, files)
    if any(finding.severity is Severity.ERROR for finding in inspection.findings):
        raise DocumentsError.of(inspection.findings)
    return replace(inspection.workspace, warnings=inspection.findings)


def inspect(project: Project, files: Sequence[str] = ()) -> Inspection:
    """Return what could be read of `project` and all findings; see `load`."""
    reading = _Reading(project)
    for name in files:
        reading.document(name, Path(name), rank=2)
    brought = bool(reading.stacks)
    for path in () if brought else stack_files(project.root):
        reading.document(project.display(path), path, rank=1)
    for rank, root in zip((1, 0), project.roots, strict=False):
        for path in cartridge_files(root):
            reading.document(project.display(path), path, rank=rank)
    workspace = reading.workspace(inputs.inputs(project, tuple(files)))
    found = dict.fromkeys((*reading.findings, *checks.check(workspace)))
    return Inspection(workspace, tuple(sorted(found, key=_place)))


class _Reading(Struct):
    project: Project
    findings: list[Finding] = field(default_factory=list)
    cartridges: dict[tuple[str, str], tuple[int, CartridgeFile]] = field(default_factory=dict)
    stacks: dict[str, tuple[int, StackFile]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def document(self, shown: str, path: Path, *, rank: int) -> None:
        text = self._text(shown, path, "document")
        if text is None:
            self.broken |= {path.stem, path.parent.name}
            return
        data, source, findings = parse(shown, text)
        self.findings += findings
        document, wrong = validate(data, source) if data is not None else (None, ())
        # a key that was refused above is not missed here
        self.findings += [each for each in wrong if not findings or each.code not in {"missing-key", "too-few"}]
        if document is None:
            self.broken |= {path.stem, path.parent.name, _name(data)}
        elif isinstance(document, Cartridge):
            file = CartridgeFile(document, source)
            self._shelve(self.cartridges, (file.name, document.metadata.version), file, rank)
        else:
            network, impossible = expand(document.network, source)
            self.findings += () if findings else impossible
            self._shelve(self.stacks, document.metadata.name, StackFile(document, source, network), rank)

    def _shelve(self, shelf: dict[Any, tuple[int, Any]], key: object, file: Any, rank: int) -> None:
        known = shelf.get(key)
        if known is None or rank > known[0] or rank == 2:
            shelf[key] = (rank, file)
        elif rank == known[0]:
            where = known[1].source.mark(("metadata", "name"))
            brief = f"`{file.document.metadata.name}` is defined a second time; the first is at {where}"
            resolution = "rename one of them, or give it another version" if isinstance(key, tuple) else "rename one"
            self.findings.append(file.source.finding("name-taken", brief, ("metadata", "name"), resolution=resolution))

    def workspace(self, digests: Any) -> Workspace:
        cartridges: dict[str, dict[str, CartridgeFile]] = {}
        for (name, version), (_, file) in sorted(self.cartridges.items()):
            cartridges.setdefault(name, {})[version] = file
        stacks = {name: file for name, (_, file) in sorted(self.stacks.items())}
        templates = self._templates(file for _, file in self.cartridges.values())
        return Workspace(cartridges, stacks, templates, digests, frozenset(self.broken - {""}))

    def _templates(self, files: Iterable[CartridgeFile]) -> dict[str, Source]:
        names = {
            entry.template
            for file in files
            for component in file.document.components.values()
            for entry in component.files
            if checks.is_safe_path(entry.template)
        }
        found: dict[str, Source] = {}
        for name in sorted(names):
            path = next((path for root in self.project.roots if (path := root / "templates" / name).is_file()), None)
            if path is None:
                continue
            shown = self.project.display(path)
            text = self._text(shown, path, "template")
            found[name] = Source(shown, text or "")
        return found

    def _text(self, shown: str, path: Path, what: str) -> str | None:
        """Return a file's text, or None after noting why it cannot be had."""
        start = Mark(shown, 1)
        try:
            raw = inputs.content(path)
        except inputs.TooLargeError:
            brief = f"the file is larger than {inputs.MAX_BYTES // 1024} KiB, the most a {what} may have"
            self.findings.append(
                Finding("file-too-large", brief, start, "split it, or check that it is the right file")
            )
            return None
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            brief = f"the file cannot be read: {why}"
            self.findings.append(Finding("file-unreadable", brief, start, "check its path and its permissions"))
            return None
        text, unfit = _decoded(shown, raw)
        if unfit is not None:
            self.findings.append(unfit)
        return text


def _decoded(shown: str, raw: bytes) -> tuple[str | None, Finding | None]:
    """Return the text of UTF-8 bytes, or a finding at the first byte or character that is none."""
    try:
        text, strange_byte = raw.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        text, strange_byte = error.object[: error.start].decode("utf-8"), error.object[error.start]
    character = _CONTROL.search(text)
    if character is not None:
        text, said = text[: character.start()], f"the character U+{ord(character[0]):04X} does not belong in a text"
    elif strange_byte is not None:
        said = f"the byte 0x{strange_byte:02X} is not UTF-8"
    else:
        return text, None
    mark = Mark(shown, text.count("\n") + 1, len(text) - text.rfind("\n"))
    return None, Finding("file-not-text", said, mark, "save the file as UTF-8 text, or check that it is the right file")


def _name(data: Any) -> str:
    """Return the name in a document that is broken otherwise, or ""."""
    metadata = data.get("metadata") if isinstance(data, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


def _place(finding: Finding) -> tuple[str, int, int]:
    return (finding.mark.file, finding.mark.line, finding.mark.column) if finding.mark else ("", 0, 0)
