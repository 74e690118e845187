"""What each key of a document means: the sentence that stands under it in its class.

For schemas and the reference alone. pydantic would do it for every import of the models (`use_attribute_docstrings`),
and reading the classes' sources is two thirds of what that import costs. Never changes what a document may hold.
"""

from __future__ import annotations

import ast
import inspect
import itertools
from collections.abc import Iterator
from functools import cache

from pydantic import BaseModel

from cartridge.model.document import Part


@cache
def describe() -> None:
    """Give every key its description, for whoever asks the models for their schema or their fields from now on."""
    models = tuple(_below(Part))
    for model in models:
        sentences = dict(_sentences(model))
        for name, field in model.model_fields.items():
            field.description = field.description or sentences.get(name)
    for model in models:  # a model that holds another one comes after it
        model.model_rebuild(force=True)


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield the classes made from one, nearest first, in the order they were defined."""
    nearest = model.__subclasses__()
    yield from nearest
    for one in nearest:
        yield from _below(one)


def _sentences(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Yield each attribute that a text stands under, and the text; those of its bases first."""
    for base in reversed(model.__mro__):
        if not issubclass(base, Part):
            continue
        (tree,) = ast.parse(inspect.getsource(base)).body
        assert isinstance(tree, ast.ClassDef)
        for above, below in itertools.pairwise(tree.body):
            match above, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    yield name, inspect.cleandoc(text)
                case _:
                    pass
