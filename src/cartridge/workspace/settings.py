"""The one door to the environment: every variable this program heeds, read once into a frozen `Settings`.

`VARIABLES` lists them all (docs/reference/environment.md is made from it). Imports nothing outside the standard
library and ours, because every verb starts here. `Settings` never holds a secret: values that may be one are asked
for by name, with `variable`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeVar, cast

from msgspec import Struct

from cartridge.errors import Finding, InputError, Severity
from cartridge.model.units import parse_duration

STATE_FOLDER = ".cartridge"
"""Where a project keeps its stacks' state; mode 0700."""

PREFIX = "CARTRIDGE_"

Target = Literal["process", "docker"]
Output = Literal["text", "json"]
Progress = Literal["auto", "tty", "plain", "json", "quiet"]
Value = TypeVar("Value")


class Variable(Struct, frozen=True):
    """A variable this program heeds: its name, the setting it fills, what it may hold and what it means."""

    name: str
    setting: str
    holds: str
    meaning: str


VARIABLES: tuple[Variable, ...] = (
    Variable("CARTRIDGE_FILE", "files", "paths, with `:` between", "documents to read, as with `--file`"),
    Variable("CARTRIDGE_STACK", "stack", "a name", "which stack, as with `--stack`"),
    Variable("CARTRIDGE_TARGET", "target", "`process` or `docker`", "where it runs, as with `--target`"),
    Variable(
        "CARTRIDGE_ISOLATED", "isolated", "yes or no", "a stack of its own for this job or branch, as with `--isolated`"
    ),
    Variable(
        "CARTRIDGE_ISOLATION",
        "isolation",
        "any text",
        "what an isolated stack is told apart by; else the CI job, else the git branch",
    ),
    Variable("CARTRIDGE_TTL", "ttl", "a duration, `1 h`", "how long a stack may live, as with `--ttl`"),
    Variable("CARTRIDGE_WAIT_TIMEOUT", "wait_timeout", "a duration, `90 s`", "as with `--wait-timeout`"),
    Variable("CARTRIDGE_OFFLINE", "offline", "yes or no", "open no connection off this machine, as with `--offline`"),
    Variable("CARTRIDGE_OUTPUT", "output", "`text` or `json`", "form of the answer, as with `--output`"),
    Variable("CARTRIDGE_PROGRESS", "progress", "`auto`, `tty`, `plain`, `json` or `quiet`", "as with `--progress`"),
    Variable("CARTRIDGE_STORE", "store", "a folder", "the store of programs, shared by all projects"),
    Variable("CARTRIDGE_RUNTIME", "runtime", "a folder", "sockets of running stacks; its path must be short"),
    Variable("CARTRIDGE_MIRROR", "mirror", "a URL", "replaces scheme and host of every download"),
    Variable("CARTRIDGE_STEP_GATE", "step_gate", "a socket's path", "holds a run at each step; for tests that kill it"),
    Variable("NO_COLOR", "no_color", "anything", "no colour on a terminal"),
    Variable("CI", "ci", "yes or no", "plain progress, no questions"),
    Variable("XDG_CACHE_HOME", "store", "a folder", "where the store is put (`~/.cache` else)"),
    Variable("XDG_STATE_HOME", "state_home", "a folder", "state of stacks outside any project (`~/.local/state` else)"),
    Variable("XDG_RUNTIME_DIR", "runtime", "a folder", "where sockets are put (a folder of your own in `/tmp` else)"),
    Variable("HOME", "home", "a folder", "your own folder"),
    Variable("PATH", "path", "folders, with `:` between", "where installed programs are looked for"),
)
"""Every variable, in the order of the documentation. The job variables of CI services are in `_JOBS`."""

_MARKS = {"CARTRIDGE_COMPONENT"}
"""Variables we set for what runs in a component, and do not heed ourselves."""

_JOBS = ("GITHUB_RUN_ID", "GITHUB_JOB", "CI_JOB_ID", "BUILD_TAG", "BUILDKITE_JOB_ID", "CIRCLE_WORKFLOW_JOB_ID")


class Settings(Struct, frozen=True):
    """What the environment says. Durations in milliseconds.

    Attributes:
        files: documents to read, as with `-f`.
        stack: a stack's name, or None.
        target: where it runs, or None for what the stack says.
        isolated: whether a stack gets a name of its own.
        isolation: what an isolated stack is told apart by; "" outside any CI job.
        ttl: how long a stack may live, or None.
        wait_timeout: how long to wait for readiness, or None.
        offline: never open a connection off this machine.
        output: form of the answer.
        progress: form of the progress.
        no_color: no colour.
        ci: this is a CI job.
        store: folder of the artifact store.
        state_home: folder for the state of stacks outside any project.
        runtime: folder for sockets.
        home: the user's folder.
        path: PATH.
        mirror: what replaces scheme and host of every download, or None.
        step_gate: socket of the harness that holds a run at each step, or None.
        warnings: variables with our prefix that mean nothing.
    """

    files: tuple[str, ...]
    stack: str | None
    target: Target | None
    isolated: bool
    isolation: str
    ttl: int | None
    wait_timeout: int | None
    offline: bool
    output: Output
    progress: Progress
    no_color: bool
    ci: bool
    store: Path
    state_home: Path
    runtime: Path
    home: Path
    path: str
    mirror: str | None
    step_gate: Path | None
    warnings: tuple[Finding, ...] = ()


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in `environment`; None means this process's own.

    Raises:
        InputError: `variable-wrong`, a variable holds what it may not.
    """
    given = os.environ if environment is None else environment
    home = _folder(given, "HOME", Path("~").expanduser() if environment is None else Path("/"))
    cache = _folder(given, "XDG_CACHE_HOME", home / ".cache")
    temporary = Path(f"/tmp/cartridge-{os.getuid()}")  # noqa: S108 — a socket's path must be short; made 0700 by its user
    shared = _folder(given, "XDG_RUNTIME_DIR", Path("/"))
    runtime = temporary if shared == Path("/") else shared / "cartridge"
    target = _choice(given, "CARTRIDGE_TARGET", ("process", "docker"), "")
    output = _choice(given, "CARTRIDGE_OUTPUT", ("text", "json"), "text")
    progress = _choice(given, "CARTRIDGE_PROGRESS", ("auto", "tty", "plain", "json", "quiet"), "auto")
    jobs = (given.get(name, "") for name in _JOBS)
    return Settings(
        files=tuple(part for part in given.get("CARTRIDGE_FILE", "").split(os.pathsep) if part),
        stack=given.get("CARTRIDGE_STACK") or None,
        target=cast("Target", target) if target else None,
        isolated=_flag(given, "CARTRIDGE_ISOLATED"),
        isolation=given.get("CARTRIDGE_ISOLATION") or "-".join(job for job in jobs if job),
        ttl=_parsed(given, "CARTRIDGE_TTL", parse_duration),
        wait_timeout=_parsed(given, "CARTRIDGE_WAIT_TIMEOUT", parse_duration),
        offline=_flag(given, "CARTRIDGE_OFFLINE"),
        output=cast("Output", output),
        progress=cast("Progress", progress),
        no_color=bool(given.get("NO_COLOR")),
        ci=given.get("CI", "").strip().lower() not in _NO,
        store=_folder(given, "CARTRIDGE_STORE", cache / "cartridge"),
        state_home=_folder(given, "XDG_STATE_HOME", home / ".local" / "state") / "cartridge",
        runtime=_folder(given, "CARTRIDGE_RUNTIME", runtime),
        home=home,
        path=given.get("PATH", os.defpath),
        mirror=given.get("CARTRIDGE_MIRROR") or None,
        step_gate=_parsed(given, "CARTRIDGE_STEP_GATE", Path),
        warnings=_strangers(given),
    )


def variable(name: str) -> str | None:
    """Return one variable of this process by name, as `secret:env:NAME` and proxies need it; never store it."""
    return os.environ.get(name)


def inherited() -> dict[str, str]:
    """Return this process's whole environment, for a child that is to have it; may hold secrets, never store it."""
    return dict(os.environ)


def shun_plugins() -> None:
    """Have pydantic, which is imported later, look for no plugins: it would read the metadata of every distribution."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"", "0", "false", "no", "off"})


def _flag(given: Mapping[str, str], name: str) -> bool:
    word = given.get(name, "").strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise _wrong(name, word, "write `1` or `0`")


def _choice(given: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    word = given.get(name) or default
    if word in {*choices, default}:
        return word
    raise _wrong(name, word, "one of " + ", ".join(f"`{choice}`" for choice in choices))


def _parsed(given: Mapping[str, str], name: str, parser: Callable[[str], Value]) -> Value | None:
    try:
        return parser(given[name]) if given.get(name) else None
    except ValueError as error:
        raise _wrong(name, given[name], str(error).rpartition("; ")[2]) from error


def _folder(given: Mapping[str, str], name: str, default: Path) -> Path:
    """Return the folder a variable names; a relative one means nothing, as the XDG rules have it."""
    path = Path(given.get(name) or default)
    if path.is_absolute():
        return path
    if name.startswith(PREFIX):
        return path.absolute()
    return default


def _wrong(name: str, value: str, resolution: str) -> InputError:
    return InputError(f"the variable {name} holds `{value}`", code="variable-wrong", resolution=resolution)


def _strangers(given: Mapping[str, str]) -> tuple[Finding, ...]:
    known = {entry.name for entry in VARIABLES} | _MARKS
    strangers = sorted(name for name in given if name.startswith(PREFIX) and name not in known)
    return tuple(_stranger(name, known) for name in strangers)


def _stranger(name: str, known: set[str]) -> Finding:
    import difflib

    close = difflib.get_close_matches(name, sorted(known), 1)
    return Finding(
        "variable-unknown",
        f"the variable {name} means nothing to this version",
        resolution=f"did you mean {close[0]}?" if close else "remove it; docs/reference/environment.md lists them all",
        severity=Severity.WARNING,
    )
