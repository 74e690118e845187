"""What the models say about a place in a document: which model owns it, and which keys it knows. Pure.

Translates pydantic's way to an error (field names, union tags, `[key]`) into the way through the user's data.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from msgspec import Struct
from pydantic import BaseModel

from cartridge.workspace.source import Path

NOUNS: Mapping[str, str] = {
    "Stack": "a stack",
    "Cartridge": "a cartridge",
    "StackMetadata": "a stack's metadata",
    "Metadata": "a cartridge's metadata",
    "Use": "an entry of `use`",
    "VersionCheck": "an artifact's version",
    "Artifact": "an artifact",
    "Archive": "an archive",
    "Stop": "`stop`",
}
"""How to call a model where its own name would not do."""


class Place(Struct, frozen=True):
    """Where an error is: the way through the data, the model whose key it is about, and whether it is the key itself.

    Attributes:
        path: through the data.
        owner: the model that holds the last step of the path, or None.
        is_key: the key is wrong, not its value.
    """

    path: Path
    owner: type[BaseModel] | None
    is_key: bool = False


def place(model: type[BaseModel], location: tuple[str | int, ...]) -> Place:
    """Return the place pydantic's `location` means in a document of `model`."""
    shape: Any = model
    path: list[str | int] = []
    owner: type[BaseModel] | None = None
    for step in location:
        shape = _bare(shape)
        if step == "[key]":
            return Place(tuple(path), None, is_key=True)
        if isinstance(shape, type) and issubclass(shape, BaseModel):
            owner = shape
            path.append(step)
            shape = _annotation(shape, str(step))
        elif get_origin(shape) in {dict, tuple, list}:
            owner = None
            path.append(step)
            shape = get_args(shape)[1 if get_origin(shape) is dict else 0]
        else:
            shape = _member(shape, str(step))
    return Place(tuple(path), owner)


@cache
def known_keys(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the keys a mapping of this model may have, in the order of the model."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


def noun(model: type[BaseModel]) -> str:
    """Return how to call a mapping of this model: `a channel`, `a go channel`."""
    name = model.__name__
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    article = "an" if words[0] in "aeiou" else "a"
    return NOUNS.get(name, f"{article} {words}")


def _annotation(model: type[BaseModel], key: str) -> Any:
    for name, field in model.model_fields.items():
        if key in {name, field.alias}:
            return field.annotation
    return Any


def _bare(shape: Any) -> Any:
    """Return an annotation without its metadata and without `| None`."""
    while get_origin(shape) is Annotated:
        shape = get_args(shape)[0]
    if get_origin(shape) in {Union, types.UnionType}:
        members = [member for member in get_args(shape) if member is not type(None)]
        return _bare(members[0]) if len(members) == 1 else shape
    return shape


def _member(union: Any, tag: str) -> Any:
    """Return the member of a tagged union that `tag` chooses."""
    for member in get_args(union):
        bare = _bare(member)
        if isinstance(bare, type) and issubclass(bare, BaseModel):
            tags = {value for field in bare.model_fields.values() for value in get_args(field.annotation)}
            if tag in tags:
                return bare
    return Any
