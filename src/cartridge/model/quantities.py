"""Quantities as field types: what `units` parses, with a JSON Schema for editors."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from cartridge.model.units import (
    Share,
    format_amount,
    format_duration,
    parse_amount,
    parse_duration,
    parse_push,
    parse_share,
)

__all__ = [
    "Amount",
    "Duration",
    "Push",
    "Share",
    "format_amount",
    "format_duration",
    "parse_amount",
    "parse_duration",
    "parse_share",
]


def _schema(units: str, example: str) -> WithJsonSchema:
    pattern = rf"^\s*\d[\d_]*(\.\d+)?\s*({units})\s*$"
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


Amount = Annotated[int, BeforeValidator(parse_amount), Field(ge=0), _schema("sat|sats|msat|btc|BTC", "10_000_000 sat")]
"""An amount of bitcoin, in millisatoshi."""

Duration = Annotated[int, BeforeValidator(parse_duration), Field(ge=0), _schema("ms|s|m|h|d", "10 s")]
"""A duration, in milliseconds."""

Push = Annotated[int, PlainValidator(parse_push), _schema("%|sat|sats|msat|btc|BTC", "50%")]
"""What the opener gives away at the start: a `Share` of the capacity, or an amount in millisatoshi.

Validated by the parser alone, because pydantic's own integer check would turn a `Share` into a bare number."""
