"""The size and shape the code may have (CONTRIBUTING.md, "Budgets"). Each test names every offender, with its line.

A number here is moved by an ADR, not by the change that does not fit.
"""

from __future__ import annotations

import ast
from fnmatch import fnmatch
from pathlib import Path

from tests.architecture.source import (
    NESTING,
    PACKAGE,
    ROOT,
    Function,
    Module,
    depth,
    dotted,
    imports,
    length,
    modules,
    parameters,
    percentile,
)

WIRE = (
    "artifacts/channels/*",  # the answers of apt, cargo, go and package indexes
    "artifacts/pins.py",  # cartridge.lock
    "deploy/pulumi/backend.py",  # Pulumi's state
    "deploy/pulumi/events.py",  # what its engine tells
    "deploy/pulumi/kinds.py",  # its property maps
    "deploy/pulumi/provider.py",  # likewise
    "lightning/nodes/*",  # the nodes' JSON
    "probes/*",  # likewise
    "targets/docker/*",  # Docker's JSON
    "targets/process/client.py",  # the guardian's messages
    "workspace/settings.py",  # the environment
    "workspace/validate.py",  # documents before they are models, pydantic's findings
)
"""Where other people's mappings are taken apart by key, and whose. Anywhere else a mapping should be a class."""

DOORS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "time": (
        frozenset(
            {"time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.sleep"}
        )
        | {"datetime.datetime.now", "datetime.datetime.utcnow", "datetime.date.today", "datetime.now", "date.today"},
        frozenset({"clock.py", "targets/process/guardian.py"}),
    ),
    "the environment": (
        frozenset({"os.environ", "os.environb", "os.getenv", "os.putenv", "os.unsetenv"}),
        frozenset({"workspace/settings.py", "targets/process/guardian.py"}),
    ),
    "other programs": (
        frozenset({"subprocess", "os.system", "os.popen", "os.fork", "os.posix_spawn", "pty"}),
        frozenset({"spawn.py", *(f"targets/process/{part}.py" for part in ("guardian", "child", "launch", "watcher"))}),
    ),
    "chance": (frozenset({"random", "uuid.uuid1", "uuid.uuid4", "numpy.random"}), frozenset()),
}
"""For each: the names that go through its door, and the modules that are the door. The guardian and what it forks into
import nothing of ours that is not as small, and have their own."""


def complain(offenders: list[str], rule: str) -> None:
    """Fail with all offenders at once."""
    assert not offenders, f"{rule}:\n  " + "\n  ".join(offenders)


def every_function() -> list[tuple[Module, Function]]:
    """Return every function of the package with its module."""
    return [(module, function) for module in modules() for function in module.functions()]


def test_every_module_starts_with_its_contract() -> None:
    complain([m.at(m.tree) for m in modules() if not ast.get_docstring(m.tree)], "no docstring says what it holds")


def test_modules_are_short() -> None:
    complain([f"{m.at(m.tree)} has {m.lines}" for m in modules() if m.lines > 500], "a module ends at 500 lines")

    sizes = [m.lines for m in modules() if m.lines > 2]
    longest = sorted(modules(), key=lambda m: -m.lines)[:8]
    assert percentile(sizes, 0.9) <= 300, [f"{m.name} {m.lines}" for m in longest]
    assert percentile(sizes, 0.5) <= 130


def test_functions_are_short() -> None:
    long = [f"{m.at(f)} {f.name} has {length(f)}" for m, f in every_function() if length(f) > 80]
    complain(long, "a function ends at 80 lines")

    longest = sorted(every_function(), key=lambda pair: -length(pair[1]))[:15]
    complain(
        [f"{m.at(f)} {f.name} has {length(f)}" for m, f in longest]
        if percentile([length(f) for _, f in every_function()], 0.95) > 40
        else [],
        "of all functions 95 % end within 40 lines; the longest are",
    )


def test_functions_take_few_parameters() -> None:
    many = [f"{m.at(f)} {f.name} takes {len(parameters(f))}" for m, f in every_function() if len(parameters(f)) > 8]
    complain(many, "no function takes more than 8 parameters")

    more = [f"{m.at(f)} {f.name}" for m, f in every_function() if len(parameters(f)) > 6]
    assert len(more) <= len(every_function()) * 0.01, "more than 6 parameters is for the rare case:\n" + "\n".join(more)

    positional = [
        f"{m.at(f)} {f.name}"
        for m, f in every_function()
        if len(parameters(f)) > 6 and len(f.args.args) - (f.args.args[:1] != parameters(f)[:1]) > 3
    ]
    complain(positional, "past the third, many parameters are given by name")


def test_functions_do_not_nest_deeply() -> None:
    complain([f"{m.at(f)} {f.name}" for m, f in every_function() if depth(f) > 4], "nesting ends at 4")

    deep = [f"{m.at(f)} {f.name}" for m, f in every_function() if depth(f) > 3]
    assert len(deep) <= len(every_function()) * 0.01, "nesting of 4 is for the rare case:\n  " + "\n  ".join(deep)


def test_every_function_is_annotated() -> None:
    bare = [
        f"{m.at(f)} {f.name}"
        for m, f in every_function()
        if f.returns is None or any(argument.annotation is None for argument in parameters(f))
    ]
    complain(bare, "types are missing")


def is_key_lookup(node: ast.AST) -> bool:
    """Whether a node reads a mapping by a literal: `x["key"]` or `x.get("key")`."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        return isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        return isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    return False


def annotations(tree: ast.Module) -> set[ast.AST]:
    """Return every node inside an annotation, where `Literal["a"]` is no look-up."""
    roots = [
        root
        for node in ast.walk(tree)
        for root in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if isinstance(root, ast.AST)
    ]
    return {inner for root in roots for inner in ast.walk(root)}


def test_mappings_are_read_by_key_only_at_the_wire() -> None:
    inner = [m for m in modules() if not any(fnmatch(m.name, wire) for wire in WIRE)]
    found = [
        f"{m.at(node)}" for m in inner for node in set(ast.walk(m.tree)) - annotations(m.tree) if is_key_lookup(node)
    ]

    allowed = 2 * sum(m.lines for m in inner) / 1000
    assert len(found) <= allowed, f"{len(found)} string keys, {allowed:.0f} allowed:\n  " + "\n  ".join(sorted(found))


def test_the_wire_is_where_this_test_believes_it() -> None:
    complain([wire for wire in WIRE if not any(fnmatch(m.name, wire) for m in modules())], "nothing is called so")


def test_broad_excepts_are_few_and_say_who_sees_the_error() -> None:
    broad = [
        (m, node)
        for m in modules()
        for node in ast.walk(m.tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or dotted(node.type) in {"Exception", "BaseException"})
        and not hands_on(node)
    ]
    silent = [m.at(node) for m, node in broad if not explained(m, node)]

    complain(silent, "a broad except says in a comment who sees the error")
    allowed = 0.3 * sum(m.lines for m in modules()) / 1000
    assert len(broad) <= max(1, allowed), f"{allowed:.1f} broad excepts allowed:\n" + "\n".join(
        m.at(n) for m, n in broad
    )


def hands_on(handler: ast.ExceptHandler) -> bool:
    """Whether a handler raises, or gives the error to a future that will: then nothing is swallowed."""
    return any(
        isinstance(node, ast.Raise) or (isinstance(node, ast.Attribute) and node.attr == "set_exception")
        for node in ast.walk(handler)
    )


def explained(module: Module, node: ast.ExceptHandler) -> bool:
    """Whether a comment in words stands on the `except` line or the one before or after it."""
    around = module.text.splitlines()[node.lineno - 2 : node.lineno + 1]
    words = [line.partition("#")[2].split("noqa:")[-1] for line in around if "#" in line]
    return any(len(comment.split()) >= 4 for comment in words)


def test_tests_use_fakes_and_no_mocks() -> None:
    tests = modules(ROOT / "tests")
    mocks = {"patch", "Mock", "MagicMock", "AsyncMock", "create_autospec", "mocker"}
    found = [
        m.at(node)
        for m in tests
        for node in ast.walk(m.tree)
        if (isinstance(node, ast.Attribute) and node.attr in mocks) or (isinstance(node, ast.Name) and node.id in mocks)
    ]
    count = sum(function.name.startswith("test_") for m in tests for function in m.functions())

    assert len(found) <= 0.05 * count, "fakes in tests/doubles, not mocks:\n  " + "\n  ".join(found)


DEEPER = {Path("surfaces/cli/commands"), Path("surfaces/cli/progress")}
"""Interchangeable parts of one surface, one small file each, that nobody outside it imports (ADR 0011)."""


def test_folders_are_shallow_and_named_after_what_they_hold() -> None:
    folders = {path.parent.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")}
    banned = {"utils", "util", "helpers", "common", "core", "misc", "lib", "base", "manager"}

    complain([str(folder) for folder in folders - DEEPER if len(folder.parts) > 2], "folders end at depth 2")
    named = [m.at(m.tree) for m in modules() if banned & {part.removesuffix(".py") for part in m.name.split("/")}]
    complain(named, "a name says what is inside")


def test_time_environment_programs_and_chance_have_one_door_each() -> None:
    offenders = []
    for what, (names, doors) in DOORS.items():
        for module in (m for m in modules() if m.name not in doors):
            used = [(node, dotted(node)) for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)]
            used += imports(module.tree)
            offenders += [
                f"{module.at(node)} {name} ({what}: {', '.join(sorted(doors)) or 'a seed'})"
                for node, name in used
                if any(name == through or name.startswith(f"{through}.") for through in names)
            ]

    complain(sorted(set(offenders)), "these go through a door of their own")


def test_the_measure_sees_what_it_measures() -> None:
    tree = ast.parse(
        "def f(self, a, *, b: int):\n"
        "    '''Two\n    lines.'''\n"
        "    if a:\n        for x in b:\n            pass\n    elif b:\n        d['k'], d.get('k')\n"
    )
    (function,) = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))

    assert (length(function), depth(function)) == (6, 2)
    assert [argument.arg for argument in parameters(function)] == ["a", "b"]
    assert sum(map(is_key_lookup, ast.walk(tree))) == 2
    assert ast.If in NESTING
