"""Plain data to one model, or findings: pydantic's complaints translated into the user's words and places.

This is the one module that knows pydantic's error types. Never raises for a bad document.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from cartridge.errors import Finding
from cartridge.model.cartridge import Cartridge
from cartridge.model.document import API_VERSION
from cartridge.model.stack import Stack
from cartridge.workspace import shapes
from cartridge.workspace.source import Path, Source

KINDS: Mapping[str, type[Cartridge] | type[Stack]] = {"Cartridge": Cartridge, "Stack": Stack}

_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "`true` or `false`",
    "dict_type": "a mapping (`key: value`)",
    "model_type": "a mapping (`key: value`)",
    "model_attributes_type": "a mapping (`key: value`)",
    "mapping_type": "a mapping (`key: value`)",
    "tuple_type": "a list (`- value`)",
    "int_from_float": "a whole number",
}

_PATTERNS = {
    r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$": (
        "bad-name",
        "a name",
        "use lower-case letters, digits and hyphens, a letter first, 40 at most",
    ),
    r"^[a-z][a-z0-9_]{0,39}$": (
        "bad-name",
        "a setting's name",
        "use lower-case letters, digits and underscores, a letter first, 40 at most",
    ),
    r"^\d+\.\d+\.\d+$": ("bad-version", "a version", "write three numbers, such as `1.0.0`"),
    r"^[a-z][a-z0-9-]*@(\*|[\^~]?\d+(\.\d+){0,2})$": (
        "bad-reference",
        "a reference to a cartridge",
        "write a name and a version, such as `lightning@1`, `lightning@1.2`, `lightning@^1.2.3` or `lightning@*`",
    ),
    r"^[0-9a-f]{64}$": ("bad-digest", "a SHA-256", "write 64 hexadecimal digits, in lower case"),
}


def validate(data: Any, source: Source) -> tuple[Cartridge | Stack | None, tuple[Finding, ...]]:
    """Return the document `data` describe, and what is wrong, all findings in the order of the file.

    The document is None where it has not the shape of one; where only `kind` is wrong, it is what the rest speaks of,
    so that it can be checked all the same.
    """
    if not isinstance(data, dict):
        brief = f"a document is a mapping, but this is {_described(data)}"
        return None, (
            source.finding("document-not-mapping", brief, resolution="start with `apiVersion: cartridge/v1`"),
        )
    if (unreadable := _version(data, source)) is not None:
        return None, (unreadable,)
    findings: list[Finding] = []
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        findings.append(_kind(data, source))
        kind = _guess(data)
        meant = difflib.get_close_matches("kind", data, 1)
        data = {**{key: value for key, value in data.items() if key not in meant}, "kind": kind}
    if kind is None:
        return None, tuple(findings)
    try:
        document = KINDS[kind].model_validate(data)
    except ValidationError as error:
        findings += _translated(KINDS[kind], source, error)
        return None, tuple(sorted(findings, key=_place))
    return document, tuple(findings)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return "did you mean `x`? known …: `x`, `y`" as far as there is something to say."""
    names = list(known)
    close = difflib.get_close_matches(word, names, 1, 0.6)
    meant = f"did you mean `{close[0]}`? " if close else ""
    shown = ", ".join(names[:16]) + (", …" if len(names) > 16 else "")
    return f"{meant}known: {shown}" if names else meant.strip()


def _place(finding: Finding) -> tuple[int, int]:
    return (finding.mark.line, finding.mark.column) if finding.mark else (0, 0)


def _version(data: dict[str, Any], source: Source) -> Finding | None:
    """Return a finding where the format is not ours, so that nothing else in the file can be judged."""
    given = data.get("apiVersion")
    match = re.fullmatch(r"cartridge/v(\d{1,6})", given) if isinstance(given, str) else None
    if match is None or match[1] == "1":
        return None
    if int(match[1]) > 1:
        brief = f"`{given}` is newer than this version of the program, which reads `{API_VERSION}`"
        return source.finding("api-version-newer", brief, ("apiVersion",), resolution="install a newer `cartridge`")
    brief = f"`{given}` never was a version of the format"
    return source.finding("api-version-unknown", brief, ("apiVersion",), resolution=f"write `{API_VERSION}`")


def _kind(data: dict[str, Any], source: Source) -> Finding:
    kind = data.get("kind")
    if "kind" not in data:
        close = difflib.get_close_matches("kind", data, 1)
        brief = "nothing says what kind of document this is"
        resolution = f"write `kind` for `{close[0]}`" if close else f"add `kind: {_guess(data) or 'Stack'}`"
        return source.finding("kind-missing", brief, (close[0],) if close else (), key=True, resolution=resolution)
    said = (
        f"there is no kind `{kind}`" if isinstance(kind, str) else f"`kind` is {_described(kind)}, but must be a text"
    )
    return source.finding("kind-unknown", said, ("kind",), resolution=suggestion(str(kind), KINDS))


def _guess(data: dict[str, Any]) -> str | None:
    """Return the kind the other keys speak of, so that what is wrong with them is said in the same report."""
    if "use" in data or "network" in data:
        return "Stack"
    return "Cartridge" if {"components", "artifacts", "settings", "requires"} & data.keys() else None


def _translated(model: type[BaseModel], source: Source, error: ValidationError) -> Iterable[Finding]:
    """Return one finding for each mistake; a misspelt key is not also reported as a missing one."""
    mistakes = [(shapes.place(model, each["loc"]), each) for each in error.errors(include_url=False)]
    unknown = {place.path for place, each in mistakes if each["type"] == "extra_forbidden"}
    seen: set[Path] = set()
    for place, each in mistakes:
        if place.path in seen or (each["type"] == "missing" and _is_misspelt(place, unknown)):
            continue
        if each["type"] == "too_short" and any(other.path[:-1] == place.path for other, _ in mistakes):
            continue  # pydantic does not count entries that are wrong themselves
        seen.add(place.path)
        if place.path == ("kind",):
            continue  # said already, with the kinds there are
        yield _one(place, each, source)


def _is_misspelt(place: shapes.Place, unknown: set[Path]) -> bool:
    *parent, name = place.path
    near = [str(path[-1]) for path in unknown if list(path[:-1]) == parent]
    return bool(difflib.get_close_matches(str(name), near, 1))


def _one(place: shapes.Place, each: Any, source: Source) -> Finding:
    handler = _HANDLERS.get(each["type"], _wrong_type if each["type"] in _WANTED else _other)
    code, brief, resolution, at_key = handler(place, each)
    tag = (each["ctx"]["discriminator"].strip("'"),) if each["type"] == "union_tag_invalid" else ()
    return source.finding(code, brief, (*place.path, *tag), key=at_key or place.is_key, resolution=resolution)


Said = tuple[str, str, str, bool]
"""Code, brief, resolution, and whether the key is to be marked."""


def _unknown_key(place: shapes.Place, _each: Any) -> Said:
    key, owner = str(place.path[-1]), place.owner
    where = f" in {shapes.noun(owner)}" if owner else ""
    known = shapes.known_keys(owner) if owner else ()
    return "unknown-key", f"unknown key `{key}`{where}", suggestion(key, known), True


def _missing(place: shapes.Place, _each: Any) -> Said:
    key, owner = str(place.path[-1]), place.owner
    if key == "apiVersion":
        return "api-version-missing", "nothing says which format this is", f"add `apiVersion: {API_VERSION}`", False
    where = shapes.noun(owner) if owner else "this"
    return "missing-key", f"{where} needs the key `{key}`", f"add `{key}: …`", True


def _choice(place: shapes.Place, each: Any) -> Said:
    expected = re.findall(r"'([^']*)'", each["ctx"]["expected"])
    if place.path == ("apiVersion",):
        said = f"`apiVersion` is {_described(each['input'])}, which is no format of ours"
        return "api-version-unknown", said, f"write `{API_VERSION}`", False
    brief = f"`{_name(place)}` cannot be {_described(each['input'])}"
    return "wrong-choice", brief, suggestion(str(each["input"]), expected), False


def _tag(place: shapes.Place, each: Any) -> Said:
    key = each["ctx"]["discriminator"].strip("'")
    expected = re.findall(r"'([^']*)'", each["ctx"]["expected_tags"])
    given = each["ctx"]["tag"]
    return "wrong-choice", f"`{key}` cannot be the text `{given}`", suggestion(given, expected), False


def _no_tag(place: shapes.Place, each: Any) -> Said:
    key = each["ctx"]["discriminator"].strip("'")
    return "missing-key", f"`{_name(place)}` needs the key `{key}`", f"add `{key}: …`", True


def _pattern(place: shapes.Place, each: Any) -> Said:
    code, what, resolution = _PATTERNS[each["ctx"]["pattern"]]
    given = each["input"]
    slug = re.sub(r"[^a-z0-9]+", "-", str(given).lower()).strip("-")[:40].strip("-")
    near = f", such as `{slug}`" if what == "a name" and slug and slug[0].isalpha() else ""
    return code, f"`{given}` is not {what}", resolution + near, False


def _quantity(place: shapes.Place, each: Any) -> Said:
    brief, _, resolution = str(each["ctx"]["error"]).partition("; ")
    return "wrong-quantity", f"`{_name(place)}`: {brief}", resolution, False


def _range(place: shapes.Place, each: Any) -> Said:
    words = {"ge": "at least", "le": "at most", "gt": "more than", "lt": "less than"}
    name, limit = next((name, limit) for name, limit in each["ctx"].items() if name in words)
    brief = f"`{_name(place)}` is {each['input']}, but must be {words[name]} {limit}"
    return "out-of-range", brief, f"write a number that is {words[name]} {limit}", False


def _too_short(place: shapes.Place, each: Any) -> Said:
    return "too-few", f"`{_name(place)}` is empty", "give it at least one entry", False


def _too_long(place: shapes.Place, each: Any) -> Said:
    limit = each["ctx"]["max_length"]
    return "too-long", f"`{_name(place)}` has more than {limit} characters", "shorten it", False


def _wrong_type(place: shapes.Place, each: Any) -> Said:
    wanted, given = _WANTED[each["type"]], each["input"]
    name = _name(place)
    if each["loc"] and place.path and each["loc"][-1] in {"str", "int", "float", "bool"}:
        wanted = "a text, a number, `true` or `false`"
    brief = f"`{name}` is {_described(given)}, but must be {wanted}" if name else f"this must be {wanted}"
    return "wrong-type", brief, _mend(wanted, given), given is None


def _mend(wanted: str, given: object) -> str:
    if given is None:
        return "give it a value, or remove the key"
    if wanted == "a text" and isinstance(given, int | float):
        return "put it in quotes"
    if wanted == "`true` or `false`" and str(given).lower() in {"yes", "on", "y", "1"}:
        return "write `true`"
    if wanted == "`true` or `false`" and str(given).lower() in {"no", "off", "n", "0"}:
        return "write `false`"
    return f"write {wanted}"


def _other(place: shapes.Place, each: Any) -> Said:
    """Say what pydantic says: a kind of mistake nobody has words for yet."""
    return "wrong-value", f"`{_name(place)}`: {each['msg']}", "", False


_HANDLERS: Mapping[str, Callable[[shapes.Place, Any], Said]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "literal_error": _choice,
    "enum": _choice,
    "union_tag_invalid": _tag,
    "union_tag_not_found": _no_tag,
    "string_pattern_mismatch": _pattern,
    "value_error": _quantity,
    "greater_than_equal": _range,
    "less_than_equal": _range,
    "too_short": _too_short,
    "string_too_long": _too_long,
}


def _name(place: shapes.Place) -> str:
    """Return the key a value stands at, with its index in a list."""
    words: list[str] = []
    for step in reversed(place.path):
        words.insert(0, f"[{step}]" if isinstance(step, int) else step)
        if isinstance(step, str):
            break
    return "".join(words)


def _described(value: object) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"the number `{value}`"
        case str():
            return f"the text `{value[:60]}`"
        case dict():
            return "a mapping"
        case _:
            return "a list"
