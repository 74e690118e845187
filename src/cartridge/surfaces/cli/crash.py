"""A bug's last words: a Markdown file that can be pasted into an issue as it is.

Holds versions, platform, the command line, the traceback and the run's last journal entries, all redacted; never an
environment variable's value and never a local variable.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cartridge import __version__
from cartridge.clock import SystemClock
from cartridge.errors import CartridgeError
from cartridge.journal.recorder import encode
from cartridge.journal.redaction import redact

if TYPE_CHECKING:
    from cartridge.surfaces.cli.session import Session


def write_crash(error: BaseException, arguments: Sequence[str], session: Session | None) -> CartridgeError:
    """Write the crash file and return the failure that names it.

    Args:
        error: the bug.
        arguments: what was typed.
        session: of the run, for its journal.
    """
    clock = session.clock if session else SystemClock()
    stamp = clock.now().strftime("%Y%m%dT%H%M%SZ")
    page = redact(crash_page(error, arguments, session)).replace(str(Path.home()), "~")
    kind = type(error).__name__
    try:
        handle, name = tempfile.mkstemp(prefix=f"cartridge-crash-{stamp}-", suffix=".md")
        with contextlib.closing(os.fdopen(handle, "w", encoding="utf-8")) as file:
            file.write(page)
    except OSError as full:
        return CartridgeError(
            f"a bug in Cartridge ({kind}), and no crash file could be written: {full.strerror}",
            code="bug",
            details=tuple(page.splitlines()),
        )
    return CartridgeError(
        f"a bug in Cartridge ({kind}); `{name}` says what happened",
        code="bug",
        resolution="paste that file into an issue; it holds no secret and no local variable",
    )


def crash_page(error: BaseException, arguments: Sequence[str], session: Session | None) -> str:
    """Return the page, not yet redacted."""
    trace = "".join(traceback.format_exception(error, chain=True)).rstrip()
    journal = "".join(encode(entry).decode() for entry in session.recent).rstrip() if session else ""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" in `{Path(last[0].filename).name}:{last[0].lineno}`" if last else ""
    return "\n".join(
        (
            f"### `{type(error).__name__}`{place}",
            "",
            f"- Cartridge {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"- command: `cartridge {' '.join(map(json.dumps, arguments))}`",
            f"- executable: `{sys.executable}`",
            "",
            *_fenced("text", trace),
            *(("", "Last entries of the journal:", "", *_fenced("json", journal)) if journal else ()),
            "",
        )
    )


def _fenced(language: str, body: str) -> tuple[str, ...]:
    fence = "`" * max(3, max((len(run) for run in _runs(body)), default=0) + 1)
    return f"{fence}{language}", body, fence


def _runs(body: str) -> list[str]:
    import re

    return re.findall("`+", body)
