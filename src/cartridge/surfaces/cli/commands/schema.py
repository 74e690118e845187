"""`cartridge schema`."""

from __future__ import annotations

import json
from collections.abc import Mapping

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.session import Session

OUTPUT = "output/"


@command("schema")
@click.argument("kind")
def schema(session: Session, _: Flags, *, kind: str) -> None:
    """Print the JSON Schema of a KIND of document (`stack`, `cartridge`), or of an answer (`output/up`).

    An editor takes it from a first line such as: # yaml-language-server: $schema=stack.schema.json
    """
    body: Mapping[str, object]
    if kind.startswith(OUTPUT):
        from cartridge.surfaces.cli.schemas import output_schema

        body = output_schema(kind.removeprefix(OUTPUT))
    else:
        body = session.verbs.schema(kind)
    session.terminal.answer(json.dumps(body, indent=2, ensure_ascii=False) + "\n")


COMMAND = schema
