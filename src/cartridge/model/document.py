"""The base of every document and of every mapping inside one.

Strict: an unknown key is an error, values are not coerced from one type to another, instances are frozen.
Never reads a file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

API_VERSION: Literal["cartridge/v1"] = "cartridge/v1"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")]
"""Lower-case letters, digits and hyphens; starts with a letter; at most 40 characters."""

SettingName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""Lower-case letters, digits and underscores; starts with a letter; at most 40 characters."""


class Part(BaseModel):
    """A mapping inside a document."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Document(Part):
    """A whole file: `apiVersion` and `kind` say how to read the rest."""

    api_version: Literal["cartridge/v1"] = Field(alias="apiVersion", description="The format's version.")
