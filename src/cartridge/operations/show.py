"""`show`: a named product of the pipeline, so that whoever debugs step four can print step three."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec
from msgspec.structs import asdict

from cartridge.errors import InputError
from cartridge.operations.access.context import Context
from cartridge.operations.results.reports import ShowResult

PRODUCTS = ("workspace", "stack", "plan", "bundle", "settings")


def show(context: Context, *, product: str) -> ShowResult:
    """Return one product as data and as text.

    Raises:
        InputError: `product-unknown`.
        DocumentsError: the files are wrong.
    """
    match product:
        case "workspace":
            data = _workspace(context)
        case "stack":
            from cartridge.plan.digest import plain

            data = _mapping(plain(context.resolved()))
        case "plan":
            from cartridge.operations.plan import plan

            data = _plain(plan(context))
        case "bundle":
            from cartridge.operations.render import render

            data = _plain(render(context, to=None))
        case "settings":
            data = {name: _shown(value) for name, value in asdict(context.settings).items()}
        case _:
            raise InputError(
                f"there is no product `{product}`", code="product-unknown", resolution=f"one of {', '.join(PRODUCTS)}"
            )
    return ShowResult(product, json.dumps(data, indent=2, ensure_ascii=False), data)


def _workspace(context: Context) -> Mapping[str, object]:
    workspace = context.workspace()
    return {
        "root": str(context.project.root),
        "cartridges": {name: sorted(versions) for name, versions in workspace.cartridges.items()},
        "stacks": sorted(workspace.stacks),
        "inputs": dict(workspace.inputs),
    }


def _plain(value: msgspec.Struct) -> Mapping[str, object]:
    return _mapping(msgspec.to_builtins(value, enc_hook=str))


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError(type(value).__name__)
    return value


def _shown(value: object) -> object:
    return value if value is None or isinstance(value, str | int | bool) else str(value)
