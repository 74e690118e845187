"""`cartridge connect`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.options import CHOOSE
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.style import Ink, Style
from cartridge.surfaces.cli.suggestions import suggest

if TYPE_CHECKING:
    from cartridge.operations.results.reports import ConnectResult


@command("connect", *CHOOSE)
@click.argument("component", metavar="NODE", shell_complete=suggest("component"))
@click.option("--format", "form", type=click.Choice(["env", "uri", "files", "json"]), help="Print one part alone.")
@click.option("--reveal", is_flag=True, help="Print passwords and macaroons too.")
def connect(session: Session, flags: Flags, *, component: str, form: str | None, reveal: bool) -> None:
    """Print what a client needs to reach a node: variables, URIs, files and ready-made commands.

    For a shell: eval "$(cartridge connect alice --format env)"
    """
    with session.context("connect", flags) as context:
        result = session.verbs.connect(context, component=component, reveal=reveal)
    if form == "json" and not session.terminal.json:
        from cartridge.surfaces.cli.answers import as_json

        session.terminal.answer(as_json("connect", result))
    else:
        session.answer("connect", result, lambda style: _form(form)(result, style))


def _form(form: str | None) -> Callable[[ConnectResult, Style], str]:
    match form:
        case "env":
            return lambda result, _: exports(result.environment)
        case "uri":
            return lambda result, _: "".join(f"{uri}\n" for uri in result.uris.values())
        case "files":
            return lambda result, _: "".join(f"{path}\n" for path in result.files.values())
        case _:
            return text


def exports(environment: Mapping[str, str]) -> str:
    """Return the variables as a shell reads them; one whose value is hidden is left as it was."""
    return "".join(
        f"# {name} is hidden; `--reveal` prints it\n" if is_hidden(value) else f"export {name}={shlex.quote(value)}\n"
        for name, value in environment.items()
    )


def is_hidden(value: str) -> bool:
    """Return whether the operation put a word in the place of a secret, in an URI as well."""
    return "<hidden" in value or "%3Chidden" in value


def text(result: ConnectResult, style: Style) -> str:
    """Return every part under its heading."""
    parts = [_part("environment", exports(result.environment).splitlines(), style)]
    for heading, values in (("uris", result.uris), ("files", result.files)):
        width = max(map(len, values), default=0)
        parts.append(_part(heading, [f"{name:<{width}}  {value}" for name, value in values.items()], style))
    parts.append(_part("commands", list(result.commands), style))
    if any(map(is_hidden, (*result.environment.values(), *result.uris.values()))):
        parts.append(style.paint("secrets are left out; `--reveal` prints them", Ink.DIM) + "\n")
    return "\n".join(part for part in parts if part)


def _part(heading: str, lines: list[str], style: Style) -> str:
    return "".join([style.paint(heading, Ink.BOLD) + "\n", *(f"  {line}\n" for line in lines)]) if lines else ""


COMMAND = connect
