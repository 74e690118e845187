"""What the report of a failed test shows of its networks: the end of each log and of the journal; nothing secret.

Gathers what can be had: a network that is gone by then, or a log that cannot be read, is no second failure.
"""

from __future__ import annotations

from collections.abc import Iterator

from cartridge.errors import CartridgeError
from cartridge.journal.events import (
    ComponentChanged,
    Noted,
    RunEnded,
    RunStarted,
    StepEnded,
    StepProgress,
    StepStarted,
)
from cartridge.journal.recorder import Entry
from cartridge.journal.redaction import HIDDEN, redact
from cartridge.operations.access import secrets
from cartridge.surfaces.pytest_plugin.network import Lightning
from cartridge.surfaces.pytest_plugin.running import Running

LINES = 20
"""Lines of each log, and entries of the journal."""

Sections = list[tuple[str, str]]


def told(error: CartridgeError) -> str:
    """Return an error as text: what, details, what to do, and its code."""
    lines = [error.brief, *(f"  {line}" for line in error.details)]
    if error.resolution:
        lines.append(f"try: {error.resolution}")
    return redact("\n".join([*lines, f"`cartridge explain {error.code}` says more"]))


def of_error(error: BaseException | None) -> Sections:
    """Return what an error of ours has to say beyond its sentence; nothing for other errors."""
    return [("cartridge", told(error))] if isinstance(error, CartridgeError) else []


def of_network(network: Lightning, *, kept: bool = False) -> Sections:
    """Return the end of each component's log and of the journal, secrets hidden, and how to look where it is kept."""
    hidden = _secrets(network)
    everybody: list[Running] = [network.chain, *network.nodes.values()]
    sections = [(f"log of {one.name} in {network.name}, its last {LINES} lines", _log(one)) for one in everybody]
    journal = "".join(map(_line, network.recent.copy()))
    sections.append(
        (f"journal of {network.name}, its last entries", "".join(journal.splitlines(keepends=True)[-LINES:]))
    )
    if kept:
        sections.append((f"{network.name} is kept", f"{network.how_to_look}\n"))
    return [(title, _redacted(text, hidden)) for title, text in sections if text]


def _log(one: Running) -> str:
    try:
        return one.logs(tail=LINES)
    except (CartridgeError, OSError) as error:
        return f"(it cannot be read: {error})\n"


def _secrets(network: Lightning) -> tuple[str, ...]:
    context = network.context
    try:
        return tuple(secrets.ensure(context.folder(context.stack_id(network.name))).values())
    except OSError:
        return ()


def _redacted(text: str, hidden: tuple[str, ...]) -> str:
    for secret in hidden:
        text = text.replace(secret, HIDDEN)
    return redact(text)


def _line(entry: Entry) -> str:
    words = " ".join(word for word in _words(entry) if word)
    return f"{entry.offset:8.3f} s  {words}\n" if words else ""


def _words(entry: Entry) -> Iterator[str]:
    match entry.event:
        case StepStarted(step=step):
            yield from (step, "…")
        case StepEnded(step=step, ending=ending, note=note):
            yield from (step, ending.value, note)
        case StepProgress(step=step, note=note):
            yield from (step, note)
        case ComponentChanged(component=component, state=state, note=note):
            yield from (component, "is", state, note)
        case Noted(level=level, text=text):
            yield from (f"{level}:", text)
        case RunStarted() | RunEnded():  # the test is the run, and its report says how it ended
            return
