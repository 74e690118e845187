"""The root command: finds a verb's module when it is typed, and turns every ending into an exit status.

Imports no command to list them (`catalogue` holds their lines) and only the one that runs.
"""

from __future__ import annotations

import importlib
import os
import select
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, shell_complete

from cartridge import __version__
from cartridge.clock import SystemClock
from cartridge.errors import ExitStatus
from cartridge.surfaces.cli import failure
from cartridge.surfaces.cli.catalogue import COMPLETION, PROGRAM, SECTIONS, VERBS, UnknownVerb
from cartridge.surfaces.cli.session import Session
from cartridge.surfaces.cli.terminal import Terminal
from cartridge.surfaces.cli.verbs import Verbs
from cartridge.workspace.settings import read, variable

if TYPE_CHECKING:
    from cartridge.workspace.settings import Settings


class Root(click.Group):
    """The group of all verbs, each imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the catalogue."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a verb's command."""
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"cartridge.surfaces.cli.commands.{cmd_name.replace('-', '_')}").COMMAND
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


def run(arguments: Sequence[str], verbs: Verbs | None = None, settings: Settings | None = None) -> int:
    """Run one command line and return its exit status; nothing it may meet becomes a traceback.

    Args:
        arguments: without the program's name.
        verbs: the operations; the real ones unless a test says otherwise.
        settings: what the environment says; this process's own unless a test says otherwise.
    """
    session: Session | None = None
    try:
        session = _session(arguments, verbs or Verbs(), settings)
        return _invoke(arguments, session)
    except BaseException as error:  # noqa: BLE001 — the one place that tells people about any failure
        if variable(COMPLETION):
            return ExitStatus.BUG  # a shell that completes nothing is better than one that prints a message
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            return ExitStatus.FINE
        return failure.report(error, arguments, session)


def _session(arguments: Sequence[str], verbs: Verbs, settings: Settings | None) -> Session:
    settings = settings or read()
    return Session(verbs, Terminal.of(arguments, settings), settings, SystemClock())


def _invoke(arguments: Sequence[str], session: Session) -> int:
    # click's own `main` would answer Ctrl-C, a closed pipe and usage errors in its words instead of ours
    if instruction := variable(COMPLETION):
        return shell_complete(root, {"obj": session}, PROGRAM, COMPLETION, instruction)
    try:
        with root.make_context(PROGRAM, list(arguments), obj=session) as ctx:
            return int(root.invoke(ctx) or 0)
    except click.exceptions.Exit as ending:
        return ending.exit_code


def _nobody_reads() -> bool:
    """Return whether who read our answer has gone, as `head` does; then a later flush at exit will not complain."""
    try:
        poll, descriptor = select.poll(), sys.stdout.fileno()
        poll.register(descriptor, select.POLLOUT)
        gone = any(event & select.POLLERR for _, event in poll.poll(0))
        if gone:
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    except (OSError, ValueError):
        return False
    return gone
