"""Resolves references to secrets in a component's environment, at the moment it starts and not before.

`secret:env:NAME` is a variable of the caller, `secret:file:PATH` a file's text without its last line end. Never
stores, prints or logs a value; whoever gets the result hands it to the component and forgets it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from cartridge.errors import MissingError

PREFIX = "secret:"

Variable = Callable[[str], str | None]
"""Returns a variable of the caller's environment by name, None where it is not set."""


def resolve(environment: Mapping[str, str], variable: Variable) -> dict[str, str]:
    """Return the environment with every reference replaced by what it names.

    Raises:
        MissingError: `secret-missing`, naming the variable or file, never a value.
    """
    return {name: _value(name, text, variable) for name, text in environment.items()}


def _value(name: str, text: str, variable: Variable) -> str:
    if not text.startswith(PREFIX):
        return text
    kind, _, place = text.removeprefix(PREFIX).partition(":")
    match kind:
        case "env":
            found = variable(place)
            why, mend = f"the variable {place} is not set", f"set {place}"
        case "file":
            found, why = _file(Path(place))
            mend = f"put the secret into `{place}` (mode 0600)"
        case _:
            found, why, mend = (
                None,
                f"`secret:{kind}:` is no kind of reference",
                "`secret:env:NAME` or `secret:file:PATH`",
            )
    if found is None:
        raise MissingError(f"the secret for {name} is not there: {why}", code="secret-missing", resolution=mend)
    return found


def _file(path: Path) -> tuple[str | None, str]:
    try:
        return path.read_text("utf-8").removesuffix("\n").removesuffix("\r"), ""
    except (OSError, UnicodeError) as error:
        return None, f"`{path}` cannot be read: {getattr(error, 'strerror', None) or error}"
