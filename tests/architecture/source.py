"""The project's Python as data: every module parsed once, every function with what the budgets ask about it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "cartridge"

Function = ast.FunctionDef | ast.AsyncFunctionDef
NESTING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


@dataclass(frozen=True)
class Module:
    """A parsed file: its path from `base`, its text and its tree."""

    path: Path
    name: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """How long it is."""
        return self.text.count("\n")

    def at(self, node: ast.AST) -> str:
        """Return file:line of a node, as an editor takes it."""
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"

    def functions(self) -> Iterator[Function]:
        """Yield every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))


@functools.cache
def modules(base: Path = PACKAGE) -> tuple[Module, ...]:
    """Return every module below `base`, by path."""
    found = []
    for path in sorted(base.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.append(Module(path, path.relative_to(base).as_posix(), text, ast.parse(text)))
    return tuple(found)


def length(function: Function) -> int:
    """Return a function's lines, its docstring left out: explaining more is never the wrong side of a budget."""
    whole = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is None:
        return whole
    return whole - ((first.end_lineno or first.lineno) - first.lineno + 1)


def parameters(function: Function) -> list[ast.arg]:
    """Return what a caller may pass; `self` and `cls` are not his."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [extra for extra in (arguments.vararg, arguments.kwarg) if extra is not None]
    return every[1:] if every and every[0].arg in {"self", "cls"} else every


def depth(node: ast.AST, inside: int = 0) -> int:
    """Return how deep statements nest in a function; an `elif` is no deeper than its `if`."""
    deepest = inside
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (Function, ast.Lambda, ast.ClassDef)):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, depth(child, inside + (isinstance(child, NESTING) and not is_elif)))
    return deepest


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` for a chain of names, "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        left = dotted(node.value)
        return f"{left}.{node.attr}" if left else ""
    return ""


def imports(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield each imported name in full, wherever the import stands: `import a.b` and `from a import b` are `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def percentile(values: list[int], share: float) -> int:
    """Return the value that `share` of all values do not exceed."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0
