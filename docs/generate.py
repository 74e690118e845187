"""Writes the pages that are made from the code, so that they cannot be wrong; `--check` only compares.

Each page is a function from nothing to Markdown. Never writes a page that is not in `PAGES`.
"""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import click
import msgspec
from pydantic import BaseModel

from cartridge.errors import ExitStatus
from cartridge.journal.events import KINDS
from cartridge.model.cartridge import Cartridge
from cartridge.model.descriptions import describe
from cartridge.model.network import Channel, Policy
from cartridge.model.stack import Stack
from cartridge.surfaces.cli.app import root
from cartridge.surfaces.cli.catalogue import SECTIONS
from cartridge.surfaces.cli.flags import VARIABLES as FLAG_VARIABLES
from cartridge.workspace.compatibility import CHAINS, FEATURES, MATRIX, PAIRS, TARGETS, Abilities
from cartridge.workspace.settings import VARIABLES

DOCS = Path(__file__).parent
MADE = "<!-- Made by `make docs`; do not edit. -->\n\n"

HEADS: Mapping[str, str] = {
    "compatibility": """# Compatibility

What each implementation of Lightning can do here: on which chain and target, and with which keys of a channel and
verbs. `cartridge check`, `plan` and `up` refuse what is not there, with what to write instead. eclair has no adapter.
""",
    "cli": """# The command line

The answer goes to stdout, progress and messages to stderr. Flags stand after the verb; one that is not given is taken
from its variable ([environment](environment.md)), then from its default. [Exit statuses](exit-status.md) are part of
the interface.
""",
    "exit-status": """# Exit statuses

The same for every verb; none is ever given another meaning. `exec` ends with the status of the program it ran.

| status | meaning |
|---|---|
""",
    "environment": """# Environment variables

Read once, at the start. A flag that is given wins. A variable that begins with `CARTRIDGE_` and means nothing is
reported, because it is mostly a misspelt one.

| variable | holds | meaning |
|---|---|---|
""",
    "journal": """# The journal

Each run that does something appends typed events to a file of its own under `.cartridge/journal/`, one JSON object a
line, mode 0600. Every line has `at` (ISO 8601, UTC), `offset` (seconds since the run began) and `type`. Within a major
version kinds and fields are added, never renamed or removed: a reader passes over what it does not know, and over a
torn last line. No event holds a secret.
""",
    "documents": """# Documents

What may stand in a file, and nothing else may: an unknown key is an error. Editors complete and check it with the JSON
Schemas that `cartridge schema` prints. Amounts are written `10_000 sat`, durations `250 ms`, shares `50%`.
""",
    "errors": """# Error codes

Every failure has a stable code, printed as `error[code]`. `cartridge explain CODE` prints its page on a terminal.

| code | in short |
|---|---|
""",
    "adr": """# Decisions

One page each, from [the template](template.md): what forced it, what was weighed, what was decided and what it costs.

""",
}

MEANINGS: Mapping[ExitStatus, str] = {
    ExitStatus.FINE: "Done as asked.",
    ExitStatus.VERDICT_FAILED: "The question was answered, and the answer is no.",
    ExitStatus.INPUT_WRONG: "Your files, flags or variables are wrong. Nothing was changed.",
    ExitStatus.MISSING: "Something needed is not there: Docker, a program, a port, a stack that is up.",
    ExitStatus.APPLY_FAILED: "Applying a plan failed. What was made is kept, with its logs, for a look.",
    ExitStatus.COULD_NOT_RUN: "It could not be found out, mostly because time ran out. Never read this as success.",
    ExitStatus.CHANGES: "`plan --exit-code` found that `up` would do something.",
    ExitStatus.BUG: "A bug of ours. A crash file, ready to paste into an issue, is named on stderr.",
    ExitStatus.INTERRUPTED: "Ctrl-C. Whatever was under way was ended in order.",
}


def cli() -> str:
    """Return the reference of the command line: every verb with its usage, arguments and flags."""
    context = click.Context(root, info_name="cartridge", **root.context_settings)
    parts = [HEADS["cli"]]
    for section, verbs in SECTIONS.items():
        parts += [f"## {section}\n"]
        for verb in verbs:
            command = root.get_command(context, verb)
            assert command is not None, verb
            parts += [_verb(name, one, context) for name, one in _leaves(verb, command)]
    return "\n".join(parts)


def _leaves(verb: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """Yield a command, or those of a group, with what is typed for each."""
    if isinstance(command, click.Group):
        yield from ((f"{verb} {name}", one) for name, one in command.commands.items())
    else:
        yield verb, command


def _verb(name: str, command: click.Command, above: click.Context) -> str:
    context = click.Context(command, info_name=name, parent=above, **command.context_settings)
    usage = " ".join(command.collect_usage_pieces(context))
    words = inspect.cleandoc(command.help or "").replace("\b\n", "")
    rows = [
        f"| `{_flags(option)}{_escape(_metavar(option, context))}` | {_cell(option)} |"
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
    ]
    table = "\n".join(["| flag | meaning |", "|---|---|", *rows]) + "\n" if rows else ""
    return f"### `cartridge {name}`\n\n```\ncartridge {name} {usage}\n```\n\n{words}\n\n{table}"


def _flags(option: click.Option) -> str:
    return ", ".join((*option.opts, *option.secondary_opts))


def _metavar(option: click.Option, context: click.Context) -> str:
    return "" if option.is_flag or option.count else f" {option.make_metavar(context)}"


def _cell(option: click.Option) -> str:
    variable = next((FLAG_VARIABLES[flag] for flag in option.opts if flag in FLAG_VARIABLES), "")
    return _escape(" ".join(filter(None, [option.help or "", f"(`{variable}`)" if variable else ""])))


def _escape(text: str) -> str:
    return text.replace("|", "\\|")


def exit_status() -> str:
    """Return the reference of exit statuses."""
    rows = [f"| {status.value} | {MEANINGS[status]} |" for status in ExitStatus]
    return HEADS["exit-status"] + "\n".join(rows) + "\n"


def environment() -> str:
    """Return the reference of environment variables."""
    rows = [f"| `{entry.name}` | {_escape(entry.holds)} | {_escape(entry.meaning)} |" for entry in VARIABLES]
    return HEADS["environment"] + "\n".join(rows) + "\n"


def journal() -> str:
    """Return the reference of the journal's events."""
    parts = [HEADS["journal"]]
    for name, kind in sorted(KINDS.items()):
        fields = [f"| `{field.name}` | {_type(field.type)} |" for field in msgspec.structs.fields(kind)]
        words = inspect.cleandoc(kind.__doc__ or "").replace("Attributes:\n", "\n")
        parts += [f"## `{name}`\n", _attributes(words) + "\n", "| field | type |\n|---|---|", "\n".join(fields) + "\n"]
    return "\n".join(parts)


def _attributes(words: str) -> str:
    """Turn a docstring's list of attributes into a Markdown list."""
    return "\n".join(f"- {line.strip()}" if line.startswith("    ") else line for line in words.splitlines())


def _type(annotation: object) -> str:
    named = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
    name = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    return named.get(name, f"string ({name})")


def documents() -> str:
    """Return the reference of documents: every mapping with its keys."""
    describe()
    parts = [HEADS["documents"]]
    for model in _models(Stack, Cartridge):
        parts += [
            f"## {model.__name__}\n",
            inspect.cleandoc(model.__doc__ or "") + "\n",
            "| key | holds | must | meaning |\n|---|---|---|---|",
        ]
        parts += [_key(name, field) for name, field in model.model_fields.items()]
        parts += [""]
    return "\n".join(parts)


def compatibility() -> str:
    """Return the reference of what each implementation can do, and with what."""
    rows = list(MATRIX.values())
    table = [
        f"| | {' | '.join(one.title for one in rows)} |",
        f"|---|{'---|' * len(rows)}",
        f"| versions | {' | '.join(one.versions for one in rows)} |",
        *(f"| chain made by {chain} | {_marks(chain in one.chains for one in rows)} |" for chain in CHAINS),
        *(f"| target `{target}` | {_marks(target in one.targets for one in rows)} |" for target in TARGETS),
        *(f"| {_feature(word)} | {_marks(word not in one.lacks for one in rows)} |" for word in FEATURES),
        f"| types of channels to choose from | {' | '.join(_types(one) for one in rows)} |",
        f"| run by the tests | {' | '.join(one.tested for one in rows)} |",
    ]
    instead = [
        f"- **{one.title}**, {FEATURES[word]}: {fix}"
        for one in rows
        for word, fix in one.lacks.items()
        if word in FEATURES
    ]
    pairs = [
        f"- {pair.opener} to {pair.acceptor}, {FEATURES[pair.feature]}: {pair.brief} ({pair.source})" for pair in PAIRS
    ]
    parts = [HEADS["compatibility"], "\n".join(table), "\n## What to do instead\n", "\n".join(instead)]
    return "\n".join([*parts, "\n## Pairs that are known not to get on\n", *pairs, ""])


def _marks(each: Iterable[bool]) -> str:
    return " | ".join("yes" if one else "–" for one in each)


def _types(one: Abilities) -> str:
    return ", ".join(f"`{word}`" for word in one.types) or "–"


def _feature(word: str) -> str:
    return f"{FEATURES[word]} (`{word}`)" if word in {*Channel.model_fields, *Policy.model_fields} else FEATURES[word]


def _models(*roots: type[BaseModel]) -> Iterator[type[BaseModel]]:
    waiting, seen = list(roots), set(roots)
    while waiting:
        model = waiting.pop(0)
        yield model
        for field in model.model_fields.values():
            for inner in _inside(field.annotation):
                if inner not in seen:
                    seen.add(inner)
                    waiting.append(inner)


def _inside(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _inside(argument)


def _key(name: str, field: typing.Any) -> str:
    meaning = " ".join((field.description or "").split())
    must = "yes" if field.is_required() else ""
    return f"| `{field.alias or name}` | {_escape(_holds(field.annotation))} | {must} | {_escape(meaning)} |"


PLAIN: Mapping[object, str] = {str: "text", int: "number", float: "number", bool: "yes or no"}


def _holds(annotation: typing.Any) -> str:
    """Return what a key may hold, in words."""
    arguments, origin = typing.get_args(annotation), typing.get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    parts = [_holds(argument) for argument in arguments if argument not in (type(None), ...) and _is_type(argument)]
    if origin is tuple:
        return f"list of {parts[0]}"
    if origin is dict:
        return f"mapping of name to {parts[1]}"
    return " or ".join(dict.fromkeys(parts)) or PLAIN.get(annotation, "text")


def _is_type(argument: object) -> bool:
    return isinstance(argument, type) or bool(typing.get_args(argument))


def errors() -> str:
    """Return the index of error codes."""
    rows = [f"| [`{page.stem}`]({page.name}) | {_first_sentence(page)} |" for page in pages(DOCS / "errors")]
    return HEADS["errors"] + "\n".join(rows) + "\n"


def adr() -> str:
    """Return the index of decisions."""
    rows = [
        f"- [{page.stem[:4] if page.stem[:4].isdigit() else page.stem}]({page.name}) — {_title(page)}"
        for page in pages(DOCS / "adr")
    ]
    return HEADS["adr"] + "\n".join(rows) + "\n"


def pages(folder: Path) -> list[Path]:
    """Return the pages of a folder that its index lists."""
    return sorted(page for page in folder.glob("*.md") if page.name not in {"README.md", "template.md"})


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def _first_sentence(page: Path) -> str:
    body = page.read_text(encoding="utf-8").partition("\n")[2].strip()
    paragraph = " ".join(body.split("\n\n")[0].split())
    head, stop, _ = paragraph.partition(". ")
    return _escape(head + stop.strip())


PAGES: Mapping[str, Callable[[], str]] = {
    "reference/cli.md": cli,
    "reference/exit-status.md": exit_status,
    "reference/environment.md": environment,
    "reference/journal.md": journal,
    "reference/documents.md": documents,
    "reference/compatibility.md": compatibility,
    "errors/README.md": errors,
    "adr/README.md": adr,
}


def stale() -> list[str]:
    """Return the pages that are not as they would be made now."""
    found = []
    for name, make in PAGES.items():
        page = DOCS / name
        if not page.exists() or page.read_text(encoding="utf-8") != MADE + make():
            found.append(name)
    return found


def main() -> int:
    """Write every page, or with `--check` say which are stale."""
    old = stale()
    if "--check" in sys.argv[1:]:
        sys.stdout.write("".join(f"docs/{name} is stale; run `make docs`\n" for name in old))
        return bool(old)
    for name in old:
        (DOCS / name).write_text(MADE + PAGES[name](), encoding="utf-8")
        sys.stdout.write(f"wrote docs/{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
