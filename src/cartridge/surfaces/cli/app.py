"""The root command: finds a verb's module when it is typed, and turns every ending into an exit status.

Imports no command to list them (`catalogue` holds their lines) and only the one that runs.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from cartridge import __version__
from cartridge.clock import SystemClock
from cartridge.errors import ExitStatus
from cartridge.surfaces.cli.catalogue import SECTIONS, VERBS
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.terminal import Terminal
from cartridge.surfaces.cli.verbs import Verbs

PROGRAM, COMPLETION = "cartridge", "_CARTRIDGE_COMPLETE"


class Root(click.Group):
    """The group of all verbs, each imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the catalogue."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a verb's command."""
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"cartridge.surfaces.cli.commands.{cmd_name}").COMMAND
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the verb that was typed; a wrong one is told with what is near it."""
        if not ctx.resilient_parsing and args[0] not in VERBS and not args[0].startswith("-"):
            raise UnknownVerb(args[0], ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs by section."""
        for section, verbs in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl(list(verbs.items()), col_max=12)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer the verbs without importing them."""
        verbs = [CompletionItem(verb, help=line) for verb, line in VERBS.items() if verb.startswith(incomplete)]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)


class UnknownVerb(click.UsageError):
    """There is no such verb."""

    def __init__(self, verb: str, ctx: click.Context) -> None:
        super().__init__(f"there is no command `{verb}`", ctx)
        self.verb = verb


@click.group(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Flags stand after the command; `cartridge COMMAND --help` lists them. Each has a CARTRIDGE_* variable.",
)
@click.version_option(__version__, "-V", "--version", message="cartridge %(version)s")
def root() -> None:
    """Real Bitcoin and Lightning networks from versioned YAML.

    `cartridge up` gives a funded Lightning pair; `cartridge down` leaves nothing of it.
    """


def run(arguments: Sequence[str], verbs: Verbs | None = None) -> int:
    """Run one command line and return its exit status; nothing it may meet becomes a traceback.

    Args:
        arguments: without the program's name.
        verbs: the operations; the real ones unless a test says otherwise.
    """
    from cartridge.surfaces.cli import failure

    session: Session | None = None
    try:
        session = _session(arguments, verbs or Verbs())
        return _invoke(arguments, session)
    except BrokenPipeError:
        return _nobody_reads()
    except BaseException as error:  # noqa: BLE001 — the one place that tells people about any failure
        try:
            return failure.report(error, arguments, session)
        except BrokenPipeError:
            return _nobody_reads()


def _session(arguments: Sequence[str], verbs: Verbs) -> Session:
    from cartridge.workspace import settings

    environment = settings.read()
    return Session(verbs, Terminal.of(arguments, environment), environment, SystemClock())


def _invoke(arguments: Sequence[str], session: Session) -> int:
    status: Any = root.main(
        list(arguments), prog_name=PROGRAM, complete_var=COMPLETION, standalone_mode=False, obj=session
    )
    return int(status or 0)


def _nobody_reads() -> int:
    # whoever read stdout has gone, as `head` does; a later flush at exit must not say so
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitStatus.FINE
