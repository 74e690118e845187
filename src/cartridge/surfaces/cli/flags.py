"""The flags that mean the same for every verb, and how they, the environment and the defaults come together.

A flag given wins over its `CARTRIDGE_*` variable, which wins over the default. Each command names the groups of
flags it takes; the parsed values reach it as one frozen `Flags`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cartridge.operations.context import Options
    from cartridge.workspace.settings import Settings

PROGRESS = ("auto", "tty", "plain", "json", "quiet")


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags as given; None or empty where not. Durations are milliseconds."""

    file: tuple[str, ...] = ()
    stack: str | None = None
    target: str | None = None
    bindings: Mapping[str, str] = field(default_factory=dict)
    isolated: bool = False
    offline: bool = False
    ttl: int | None = None
    wait_timeout: int | None = None
    yes: bool = False
    progress: str | None = None

    def options(self, settings: Settings) -> Options:
        """Return what the operations are given, with the environment where a flag is silent."""
        from cartridge.operations.context import Options

        return Options(
            files=self.file or settings.files,
            stack=self.stack or settings.stack,
            target=self.target or settings.target,
            bindings=self.bindings,
            isolated=self.isolated or settings.isolated,
            ttl=settings.ttl if self.ttl is None else self.ttl,
            wait_timeout=settings.wait_timeout if self.wait_timeout is None else self.wait_timeout,
            offline=self.offline or settings.offline,
        )


def split(parameters: dict[str, Any]) -> tuple[Flags, dict[str, Any]]:
    """Return the common flags among a command's parameters, and the rest."""
    known = {name: parameters.pop(name) for name in Flags.__slots__ if name in parameters}
    parameters.pop("output", None)  # read ahead by `Terminal`, as a wrong flag is reported in that form too
    parameters.pop("no_color", None)
    return Flags(**known), parameters


class DurationFlag(click.ParamType[int]):
    """A duration such as `90 s`, in milliseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return milliseconds."""
        from cartridge.model.units import parse_duration

        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _bindings(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in value]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise click.BadParameter(f"`{name}{equals}` is no `setting=value`", ctx, param)
    return {name: given for name, _, given in pairs}


def suggest(kind: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Return a completion that offers the names of a kind: stack, component, node, artifact or code.

    Silent on every error: a shell that completes nothing is better than one that prints a message.
    """

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        from cartridge.surfaces.cli.session import Session

        session = ctx.find_object(Session)
        if session is None:
            return []
        flags, _rest = split({name: value for name, value in ctx.params.items() if value is not None})
        try:
            names = session.verbs.names(flags.options(session.settings), kind)
        except Exception:  # noqa: BLE001 — nobody sees it: a completion has no place for an error
            return []
        return [name for name in names if name.startswith(incomplete)]

    return complete


FILE = click.Option(
    ["-f", "--file"], multiple=True, metavar="FILE", help="Read this document too; may be given several times."
)
STACK = click.Option(["-s", "--stack"], metavar="NAME", shell_complete=suggest("stack"), help="Which stack.")
TARGET = click.Option(
    ["--target"], type=click.Choice(["process", "docker"]), help="Where to run it; overrides what the stack says."
)
BINDINGS = click.Option(
    ["--set", "bindings"], multiple=True, metavar="SETTING=VALUE", callback=_bindings, help="Give a setting a value."
)
ISOLATED = click.Option(["--isolated"], is_flag=True, help="A stack of its own for this job or worktree.")
OFFLINE = click.Option(["--offline"], is_flag=True, help="Open no connection off this machine.")
TTL = click.Option(["--ttl"], type=DurationFlag(), metavar="TIME", help="End the stack by itself after this long.")
WAIT_TIMEOUT = click.Option(
    ["--wait-timeout"], type=DurationFlag(), metavar="TIME", help="Give up waiting after this long."
)
YES = click.Option(["-y", "--yes"], is_flag=True, help="Do not ask.")
OUTPUT = click.Option(
    ["-o", "--output"], type=click.Choice(["text", "json"]), help="Form of the answer on stdout.  [default: text]"
)
PROGRESS_FORM = click.Option(
    ["--progress"], type=click.Choice(PROGRESS), help="Form of the progress on stderr.  [default: auto]"
)
COLOUR = click.Option(["--no-color"], is_flag=True, help="No colour, on a terminal either.")

CHOOSE: tuple[click.Option, ...] = (FILE, STACK, TARGET, BINDINGS, ISOLATED)
"""Which stack a verb means, and with which values."""

SAY: tuple[click.Option, ...] = (OUTPUT, PROGRESS_FORM, COLOUR)
"""How a verb speaks."""

VARIABLES: Mapping[str, str] = {
    "--file": "CARTRIDGE_FILE",
    "--stack": "CARTRIDGE_STACK",
    "--target": "CARTRIDGE_TARGET",
    "--isolated": "CARTRIDGE_ISOLATED",
    "--offline": "CARTRIDGE_OFFLINE",
    "--ttl": "CARTRIDGE_TTL",
    "--wait-timeout": "CARTRIDGE_WAIT_TIMEOUT",
    "--output": "CARTRIDGE_OUTPUT",
    "--progress": "CARTRIDGE_PROGRESS",
    "--no-color": "NO_COLOR",
}
"""The variable that stands in for a flag that is not given."""
