"""Makes a function a click command: it gets the session, the common flags and its own parameters.

Such a function returns an exit status, or None for fine.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import click

from cartridge.surfaces.cli.flags import split
from cartridge.surfaces.cli.options import SAY
from cartridge.surfaces.cli.session import Session


def command(
    name: str, *flags: click.Option, context_settings: Mapping[str, Any] | None = None
) -> Callable[[Callable[..., int | None]], click.Command]:
    """Make a function a click command that takes these common flags as well as its own parameters.

    The function gets the session and the common `Flags` first; its docstring is the command's help.

    Args:
        name: the verb.
        flags: the common flags it takes; those of `SAY` it always takes.
        context_settings: click's, beside our own.
    """

    def wrap(function: Callable[..., int | None]) -> click.Command:
        @click.pass_obj
        def callback(session: Session, /, **parameters: Any) -> int:
            common, own = split(parameters)
            return function(session, common, **own) or 0

        own: list[click.Parameter] = getattr(function, "__click_params__", [])
        return click.Command(
            name,
            params=[*reversed(own), *flags, *SAY],
            callback=callback,
            help=inspect.cleandoc(function.__doc__ or ""),
            context_settings={
                "help_option_names": ["-h", "--help"],
                "max_content_width": 100,
                **(context_settings or {}),
            },
        )

    return wrap


def group(name: str, line: str, *commands: click.Command) -> click.Group:
    """Make a verb of several commands, such as `channel open`; each is typed after it.

    Args:
        name: the verb.
        line: its help.
        commands: made by `command`.
    """
    return click.Group(
        name,
        {one.name or "": one for one in commands},
        help=line,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
