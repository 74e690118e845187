"""The flags that mean the same for every verb, as click has them. Each command names the ones it takes."""

from __future__ import annotations

from typing import Any

import click

from cartridge.surfaces.cli.suggestions import suggest

PROGRESS = ("auto", "tty", "plain", "json", "quiet")


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
ISOLATED = click.Option(["--isolated"], is_flag=True, help="A stack of its own for this job or branch.")
OFFLINE = click.Option(["--offline"], is_flag=True, help="Open no connection off this machine.")
TTL = click.Option(["--ttl"], type=DurationFlag(), metavar="TIME", help="End the stack by itself after this long.")
WAIT_TIMEOUT = click.Option(
    ["--wait-timeout"], type=DurationFlag(), metavar="TIME", help="Give up waiting after this long."
)
FORCE_CLOSE = click.Option(
    ["--force-close"], is_flag=True, help="Close by force the channels whose two ends do not agree to close them."
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
