"""What Pulumi's engine says while it works: which resource is being dealt with, and complaints. Kept, not judged."""

from __future__ import annotations

import re
import threading
from typing import Any

from msgspec import Struct, field

_COLOUR = re.compile(r"<\{%[^%]*%\}>")


class Complaint(Struct, frozen=True):
    """An error or warning of the engine: the resource's URN or "", and the text."""

    urn: str
    severity: str
    text: str


class Heard(Struct):
    """Everything heard in one operation.

    Attributes:
        operations: by URN, what the engine does or would do: `create`, `update`, `replace`, `delete`, `same`, ….
        complaints: in order.
        ended: set when the engine has said its last word.
    """

    operations: dict[str, str] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


def hear(heard: Heard, event: dict[str, Any]) -> None:
    """Take note of one event."""
    if "resourcePreEvent" in event:
        step = event["resourcePreEvent"]["metadata"]
        if step["op"] not in {"create-replacement", "delete-replaced"} or step["urn"] not in heard.operations:
            heard.operations[step["urn"]] = step["op"]
    elif "diagnosticEvent" in event:
        said = event["diagnosticEvent"]
        if said.get("severity") in {"error", "warning"}:
            text = _COLOUR.sub("", said.get("message", "")).strip()
            heard.complaints.append(Complaint(said.get("urn", ""), said["severity"], text))
