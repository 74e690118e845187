"""docs/reference/cli.md, made from the commands themselves. Imported only to write or to check that page.

`python -m cartridge.surfaces.cli.reference FILE` writes it; a test holds the page against this.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from cartridge.surfaces.cli.app import PROGRAM, root
from cartridge.surfaces.cli.catalogue import SECTIONS
from cartridge.surfaces.cli.flags import VARIABLES

INTRODUCTION = """\
# The command line

<!-- made by `python -m cartridge.surfaces.cli.reference docs/reference/cli.md`; do not edit -->

stdout carries the answer, stderr the progress and errors. Every command answers with one JSON object under
`-o json` (`logs`: one a line) whose `schema` names its form: `schemas/output/` holds them. A failure is an object with
`error`, `cartridge/error/v1`. [Exit statuses](exit-status.md) mean the same everywhere.

A flag wins over its variable, a variable over the default:

| flag | variable |
|---|---|
"""


def markdown() -> str:
    """Return the whole page."""
    rows = "".join(f"| `{flag}` | `{variable}` |\n" for flag, variable in VARIABLES.items())
    parts = [INTRODUCTION + rows]
    with click.Context(root, info_name=PROGRAM) as ctx:
        for section, verbs in SECTIONS.items():
            parts.append(f"## {section}\n")
            parts += [_command(ctx, verb) for verb in verbs]
    return "\n".join(parts)


def _command(ctx: click.Context, verb: str) -> str:
    command = root.get_command(ctx, verb)
    assert command is not None
    with click.Context(command, parent=ctx, info_name=verb) as own:
        text = "\n\n".join(_paragraph(part) for part in re.split(r"\n\s*\n", (command.help or "").strip()))
        usage = own.get_usage().removeprefix("Usage: ")
        records = [record for param in command.params if (record := param.get_help_record(own))]
    flags = "".join(f"| `{names}` | {line.replace('|', chr(92) + '|')} |\n" for names, line in records)
    return f"### {verb}\n\n{text}\n\n```\n{usage}\n```\n\n| flag | |\n|---|---|\n{flags}"


def _paragraph(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines()]
    if lines[0] == "\b":
        return "```\n" + "\n".join(lines[1:]) + "\n```"
    return "\n".join(lines)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(markdown(), encoding="utf-8")
