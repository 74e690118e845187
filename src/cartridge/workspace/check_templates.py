"""Templates before anything runs: they are there, they parse, and they use only names that will be defined.

Covers the files a cartridge renders and the templates inside `command` and `environment`. Renders nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from cartridge.errors import Finding, Mark
from cartridge.workspace.check_cartridge import is_safe_path
from cartridge.workspace.documents import CartridgeFile, Workspace
from cartridge.workspace.names import CONTEXT
from cartridge.workspace.source import Path
from cartridge.workspace.validate import suggestion

if TYPE_CHECKING:
    from jinja2 import Environment

_OPENINGS = ("{{", "{%", "{#")


class _Flaw(Struct, frozen=True):
    """Something wrong in a template: line from 1, the word it is about ("" for none)."""

    code: str
    brief: str
    line: int
    word: str
    resolution: str


class _Judge(Struct):
    """Judges templates for one cartridge's settings, each text once."""

    settings: tuple[str, ...]
    owner: str
    known: dict[str, tuple[_Flaw, ...]] = field(default_factory=dict)

    def flaws(self, text: str) -> tuple[_Flaw, ...]:
        if not any(opening in text for opening in _OPENINGS):
            return ()
        if text not in self.known:
            self.known[text] = tuple(self._judge(text))
        return self.known[text]

    def _judge(self, text: str) -> Iterator[_Flaw]:
        import jinja2
        from jinja2 import nodes

        try:
            tree, undeclared = _parsed(text)
        except jinja2.TemplateSyntaxError as error:
            brief = f"the template cannot be read: {(error.message or '').rstrip('.')}"
            yield _Flaw("template-syntax", brief, error.lineno, "", "mend the template")
            return
        except RecursionError:
            yield _Flaw("template-syntax", "the template is nested too deeply", 1, "", "write it flatter")
            return
        for name in tree.find_all(nodes.Name):
            if name.ctx == "load" and name.name in undeclared:
                brief = f"the template reads `{name.name}`, which is not defined"
                yield _Flaw("template-undefined", brief, name.lineno, name.name, suggestion(name.name, CONTEXT))
        for attribute in tree.find_all(nodes.Getattr):
            if isinstance(attribute.node, nodes.Name) and attribute.node.name == "settings":
                yield from self._setting(attribute.attr, attribute.lineno)

    def _setting(self, name: str, line: int) -> Iterator[_Flaw]:
        if name not in self.settings:
            brief = f"the template reads `settings.{name}`, which is no setting of `{self.owner}`"
            resolution = suggestion(name, self.settings) or "declare it under `settings`"
            yield _Flaw("template-undefined", brief, line, name, resolution)


@cache
def _environment() -> Environment:
    from jinja2 import Environment

    return Environment(trim_blocks=True, lstrip_blocks=True)  # noqa: S701 — nothing is rendered here


def _parsed(text: str) -> tuple[Any, frozenset[str]]:
    """Return a template's tree and the names it takes from outside that are not ours to give."""
    from jinja2 import meta

    environment = _environment()
    tree = environment.parse(text)
    return tree, frozenset(meta.find_undeclared_variables(tree)) - {*CONTEXT, *environment.globals}


def templates(file: CartridgeFile, workspace: Workspace) -> Iterator[Finding]:
    """Every template of a cartridge is there and can be rendered."""
    judge = _Judge(tuple(file.document.settings), file.identity)
    told: set[str] = set()
    for name, component in file.document.components.items():
        path: Path = ("components", name)
        for index, entry in enumerate(component.files):
            at = (*path, "files", index, "template")
            if entry.template in workspace.templates:
                if entry.template not in told:
                    told.add(entry.template)
                    yield from _in_file(workspace, entry.template, judge)
            elif is_safe_path(entry.template):
                brief = f"there is no template `{entry.template}`"
                resolution = suggestion(entry.template, workspace.templates) or "put it under `templates/`"
                yield file.source.finding("template-missing", brief, at, resolution=resolution)
        for index, part in enumerate(component.command):
            yield from _inline(file, part, (*path, "command", index), judge)
        for variable, value in component.environment.items():
            yield from _inline(file, value, (*path, "environment", variable), judge)


def _in_file(workspace: Workspace, name: str, judge: _Judge) -> Iterator[Finding]:
    source = workspace.templates[name]
    for flaw in judge.flaws(source.text):
        line = source.snippet(Mark(source.path, flaw.line))
        match = re.search(rf"\b{re.escape(flaw.word)}\b", line) if flaw.word else None
        mark = Mark(source.path, flaw.line, match.start() + 1 if match else 1)
        yield source.at(flaw.code, flaw.brief, mark, resolution=flaw.resolution)


def _inline(file: CartridgeFile, text: str, path: Path, judge: _Judge) -> Iterator[Finding]:
    for flaw in judge.flaws(text):
        yield file.source.finding(flaw.code, flaw.brief, path, resolution=flaw.resolution)
