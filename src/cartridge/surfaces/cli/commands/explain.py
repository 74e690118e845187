"""`cartridge explain`."""

from __future__ import annotations

import click

from cartridge.surfaces.cli.answers import CodesResult, ExplainResult
from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.suggestions import suggest


@command("explain")
@click.argument("code", required=False, shell_complete=suggest("code"))
def explain(session: Session, _: Flags, *, code: str | None) -> None:
    """Explain an error code: what it means, what causes it, how to mend it. Without a code, list them all."""
    if code is None:
        codes = CodesResult(session.verbs.codes())
        session.answer("codes", codes, lambda _: "".join(f"{each}\n" for each in codes.codes))
        return
    page = ExplainResult(code, session.verbs.explain(code))
    session.answer("explain", page, lambda _: page.text.rstrip("\n") + "\n")


COMMAND = explain
