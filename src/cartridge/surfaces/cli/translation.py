"""The one door at which other people's exceptions become failures of ours: click's, the system's, Ctrl-C.

Says nothing to anybody; what it does not know is a bug.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence

import click

from cartridge.errors import CartridgeError, InputError, InterruptError, MissingError
from cartridge.surfaces.cli.catalogue import VERBS, UnknownVerb


def translated(error: BaseException) -> CartridgeError | None:
    """Return the failure as one of ours, or None for a bug."""
    if isinstance(error, CartridgeError):
        return error
    if isinstance(error, KeyboardInterrupt | click.Abort | EOFError):
        return InterruptError()
    if isinstance(error, click.ClickException):
        return _usage(error)
    return _refused(error) if isinstance(error, OSError) else None


def _refused(error: OSError) -> CartridgeError | None:
    """Return what the system refused as a failure of the world, where it is one whoever asks."""
    what = f"`{error.filename}`" if error.filename else "a file"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return MissingError(
            f"no space is left to write {what}",
            code="disk-full",
            resolution="make room, then run the same command again",
        )
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return MissingError(
            f"{what} may not be used: {error.strerror}",
            code="not-permitted",
            resolution="look whose it is, and what its folder allows",
        )
    return None


def _usage(error: click.ClickException) -> InputError:
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    message, _, remedy = _sentence(error).partition("; ")
    near = " or ".join(f"`{word}`" for word in _near(error))
    fallback = f"`{ctx.command_path} --help`" if ctx else ""
    return InputError(
        message,
        code="usage",
        details=(ctx.get_usage().replace("Usage:", "usage:"),) if ctx else (),
        resolution=f"did you mean {near}?" if near else remedy or fallback,
    )


def _sentence(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption):
        return f"there is no flag `{error.option_name}`"
    first, _, _ = error.format_message().partition("\n")
    sentence = re.sub(r"'([^']*)'", r"`\1`", first.strip().removesuffix("."))
    return re.sub(r"`\[(\w+)\]`", r"`\1`", sentence[:1].lower() + sentence[1:])


def _near(error: click.ClickException) -> Sequence[str]:
    from difflib import get_close_matches

    if isinstance(error, click.NoSuchOption):
        return error.possibilities or ()
    if isinstance(error, UnknownVerb):
        return get_close_matches(error.verb, VERBS, 2)
    value, is_choice, choices = error.format_message().partition(" is not one of ")
    if not is_choice:
        return ()
    return get_close_matches(value.rpartition(": ")[2].strip("'"), re.findall(r"'([^']+)'", choices), 1)
