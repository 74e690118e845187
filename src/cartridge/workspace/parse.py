"""YAML text to plain data with marks: one pass over the C parser's events, bounded in depth and in aliases.

The data are dicts with text keys, tuples, text, integers, floats, booleans and None. Scalars are read as YAML 1.2
reads them, and what could mean two things stays text: `yes`, `on`, `0644`, `1:30`, `2024-01-01`, `.inf`, `0x1F`
(so the model says what it wants instead). Tags and merge keys are refused. Never raises for a bad document.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

import yaml

from cartridge.errors import Finding, Mark
from cartridge.workspace.source import Source, Spot

MAX_DEPTH = 64
"""Mappings and lists inside one another; a document of ours needs eight."""

MAX_ALIASED = 10_000
"""Values that all aliases of a document may stand for together."""

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]{0,38})")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9_]{0,38})(?:\.[0-9]{1,20})?(?:[eE][-+]?[0-9]{1,2})?")
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_PLAIN_STARTS = frozenset("+-0123456789")


def parse(path: str, text: str) -> tuple[Any, Source, tuple[Finding, ...]]:
    """Return the data of the one document in `text`, its source, and what is wrong with it as YAML.

    Args:
        path: the file as the user would type it.
        text: its content.

    Returns:
        Data (None where nothing could be read), the source with its marks, findings in line order.
    """
    reader = _Reader(path, text)
    try:
        data, spot = reader.document()
    except _StopError:
        return None, reader.source, tuple(reader.findings)
    except yaml.YAMLError as error:
        return None, reader.source, (*reader.findings, _syntax(reader.source, error))
    source = Source(path, text, spot)
    return data, source, tuple(reader.findings)


class _StopError(Exception):
    """What follows cannot be read; the finding that says why is already noted."""


class _Reader:
    def __init__(self, path: str, text: str) -> None:
        self.source = Source(path, text)
        self.findings: list[Finding] = []
        self._next = yaml.CSafeLoader(text).get_event
        self._anchors: dict[str, tuple[Any, Spot, int] | None] = {}
        self._count = 0
        self._aliased = 0

    def document(self) -> tuple[Any, Spot]:
        self._next()
        if type(self._next()) is yaml.StreamEndEvent:
            self._stop("document-empty", "there is nothing in this file", Spot(0, 0), "write a document, or remove it")
        data, spot = self._value(self._next(), 1)
        self._next()
        more = self._next()
        if type(more) is not yaml.StreamEndEvent:
            self._note(
                "documents-several",
                "a second document starts here; a file holds one",
                _spot(more),
                "move it into a file of its own",
            )
        if data is None:
            self._stop("document-empty", "there is nothing in this file", spot, "write a document, or remove it")
        return data, spot

    def _value(self, event: Any, depth: int) -> tuple[Any, Spot]:
        self._count += 1
        kind = type(event)
        if kind is yaml.AliasEvent:
            return self._alias(event)
        spot = Spot(event.start_mark.line, event.start_mark.column)
        if depth > MAX_DEPTH:
            self._stop("yaml-too-deep", f"more than {MAX_DEPTH} levels of nesting", spot, "write it flatter")
        if event.tag is not None:
            tag = event.tag[:60].replace("tag:yaml.org,2002:", "!!")
            self._note("yaml-tag", f"the tag `{tag}` is not used here", spot, "remove it")
        anchor, before = event.anchor, self._count
        if anchor is not None:
            self._anchors[anchor] = None
        if kind is yaml.ScalarEvent:
            data: Any = _scalar(event.value) if event.implicit[0] else event.value
        elif kind is yaml.SequenceStartEvent:
            data = self._sequence(spot, depth)
        else:
            data = self._mapping(spot, depth)
        if anchor is not None:
            self._anchors[anchor] = (data, spot, self._count - before + 1)
        return data, spot

    def _sequence(self, spot: Spot, depth: int) -> tuple[Any, ...]:
        items: list[Any] = []
        following, inside = self._next, spot.inside
        while type(event := following()) is not yaml.SequenceEndEvent:
            data, inside[len(items)] = self._value(event, depth + 1)
            items.append(data)
        return tuple(items)

    def _mapping(self, spot: Spot, depth: int) -> dict[str, Any]:
        items: dict[str, Any] = {}
        following = self._next
        while type(event := following()) is not yaml.MappingEndEvent:
            key = self._key(event, spot, depth)
            data, below = self._value(following(), depth + 1)
            if key is not None:
                items[key], spot.inside[key] = data, below
        return items

    def _key(self, event: Any, spot: Spot, depth: int) -> str | None:
        """Return the key, or None where its value is to be left out; a finding says why."""
        if type(event) is not yaml.ScalarEvent:
            at = _spot(event)
            self._value(event, depth + 1)
            self._note("key-not-text", "a key must be a text", at, "write `key: value`")
            return None
        text, at = event.value, _spot(event)
        if event.implicit[0] and text == "<<":
            self._note("yaml-merge-key", "merge keys (`<<`) are not used here", at, "write the keys out")
            return None
        if event.implicit[0] and not isinstance(read := _scalar(text), str):
            said = f"the key `{text}` is {'empty' if read is None else 'not a text'}"
            self._note("key-not-text", said, at, f'put it in quotes: `"{text}":`')
            return None
        if text in spot.keys:
            first = spot.keys[text][0] + 1
            brief = f"the key `{text}` stands here a second time; the first is on line {first}"
            self._note("duplicate-key", brief, at, "remove one of them, or rename it")
            return None
        spot.keys[text] = (at.line, at.column)
        return str(text)

    def _alias(self, event: Any) -> tuple[Any, Spot]:
        name, at = event.anchor, _spot(event)
        if name not in self._anchors:
            self._stop("yaml-syntax", f"`*{name}` stands for nothing", at, f"put `&{name}` before the value it means")
        found = self._anchors[name]
        if found is None:
            self._stop("yaml-aliases", f"`*{name}` stands inside the value it means", at, "write the value out")
        data, spot, size = found
        self._count += size
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            brief = f"aliases stand for more than {MAX_ALIASED:_} values in all"
            self._stop("yaml-aliases", brief, at, "write the values out, or use fewer aliases")
        return data, spot

    def _note(self, code: str, brief: str, spot: Spot, resolution: str) -> None:
        mark = Mark(self.source.path, spot.line + 1, spot.column + 1)
        self.findings.append(self.source.at(code, brief, mark, resolution=resolution))

    def _stop(self, code: str, brief: str, spot: Spot, resolution: str) -> NoReturn:
        self._note(code, brief, spot, resolution)
        raise _StopError


def _spot(event: Any) -> Spot:
    return Spot(event.start_mark.line, event.start_mark.column)


def _scalar(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _PLAIN_STARTS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


_ADVICE = (
    ("mapping values are not allowed", "put the value in quotes if it holds `: `, or mend this line's indentation"),
    ("did not find expected key", "indent this line like its neighbours, and close every quote and bracket before it"),
    ("could not find expected ':'", "write `key: value`, with a space after the colon"),
    ("found unexpected end of stream", "close the quote or bracket that was opened before"),
    ("did not find expected ','", "close the list with `]`, or the mapping with `}`"),
    ("did not find expected '-' indicator", "indent this line like its neighbours"),
    ("cannot start any token", "put the value in quotes: it may not start with this character"),
    ("escape", "in double quotes write `\\\\` for a backslash, or use single quotes"),
    ("found duplicate anchor", "give each anchor a name of its own"),
)  # fmt: skip

_UNCLOSED = ("unexpected end of stream", "did not find expected ','")
"""Complaints made at the end of what was opened too early; the place to show is where it was opened."""


def _syntax(source: Source, error: yaml.YAMLError) -> Finding:
    """Translate the parser's complaint; this is the one place that knows its words."""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    opened = getattr(error, "context_mark", None) if any(words in problem for words in _UNCLOSED) else None
    at = opened or getattr(error, "problem_mark", None)
    line, column = (at.line, at.column) if at is not None else (0, 0)
    mark = Mark(source.path, line + 1, column + 1)
    written = source.snippet(mark)
    if "nesting depth" in problem:
        return source.at("yaml-too-deep", "far too many levels of nesting", mark, resolution="write it flatter")
    if "\t" in written[: len(written) - len(written.lstrip())] or written[column : column + 1] == "\t":
        mark = Mark(source.path, line + 1, written.index("\t") + 1)
        return source.at("yaml-tab", "a tab stands where YAML wants spaces", mark, resolution="indent with spaces")
    context = getattr(error, "context", None)
    brief = f"this is not YAML: {problem}" + (f" {context}" if context else "")
    advice = next((text for words, text in _ADVICE if words in problem), "mend the line, or put the value in quotes")
    return source.at("yaml-syntax", brief, mark, resolution=advice)
