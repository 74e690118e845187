"""`cartridge completion`."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from cartridge.surfaces.cli.catalogue import COMPLETION, PROGRAM
from cartridge.surfaces.cli.command import command
from cartridge.surfaces.cli.flags import Flags
from cartridge.surfaces.cli.session import Session

SHELLS = ("bash", "zsh", "fish")


@command("completion")
@click.argument("shell", type=click.Choice(SHELLS), metavar="SHELL")
def completion(session: Session, _: Flags, *, shell: str) -> None:
    r"""Print the completion script of a SHELL; verbs, flags and names of what is up complete.

    \b
    bash:  eval "$(cartridge completion bash)"       in ~/.bashrc
    zsh:   eval "$(cartridge completion zsh)"        in ~/.zshrc
    fish:  cartridge completion fish | source        in ~/.config/fish/config.fish
    """
    root = click.get_current_context().find_root().command
    found = get_completion_class(shell)
    assert found is not None
    # bash's own `source` runs a bash to look at its version, which says nothing about the one that will read this
    session.terminal.answer(ShellComplete.source(found(root, {}, PROGRAM, COMPLETION)).strip("\n") + "\n")


COMMAND = completion
