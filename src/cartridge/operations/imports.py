"""`network import`: a file of another tool to a stack document of this project. Overwrites only where asked to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from cartridge.errors import DocumentsError, InputError
from cartridge.operations.access import files
from cartridge.operations.access.context import Context
from cartridge.operations.results.topologies import ImportResult

MOST_BYTES = 256 * 1024 * 1024
"""Of a file that is imported; the graph of the whole real network is about half of that."""
SAME = "same"
"""Keeps each node's implementation where a cartridge runs it."""


class Order(Struct, frozen=True):
    """What is to be imported, and how.

    Attributes:
        source: the file.
        to: where the stack is written; None for `stacks/<name>.yaml`.
        name: of the stack; None for what the file says.
        form: which format it is; None to look.
        nodes: the most to keep.
        implementation: what every node runs, or `same`.
        force: overwrite a file that is there.
    """

    source: Path
    to: Path | None = None
    name: str | None = None
    form: str | None = None
    nodes: int = 50
    implementation: str = "lnd"
    force: bool = False


def import_network(context: Context, order: Order) -> ImportResult:
    """Write the stack that a file describes, and say what is not as it was.

    Raises:
        InputError: `import-unreadable`, `import-empty`, `implementation-unknown`, `file-exists`.
        DocumentsError: the stack would have findings.
    """
    from cartridge.lightning.foreign import document, fitting, formats

    beside = order.source.parent / "node-defaults.yaml"
    imported = formats.read(
        str(order.source),
        order.source.name.split(".")[0],
        _content(order.source),
        form=order.form,
        defaults=_content(beside) if beside.is_file() else None,
    )
    offered = _offered(context)
    wish = fitting.Wish(
        most=order.nodes,
        implementation="lnd" if order.implementation == SAME else _known(order.implementation, offered),
        known=offered if order.implementation == SAME else (order.implementation,),
        taken={"bitcoind", "btcd"},
    )
    fitted = fitting.fit(imported, wish)
    name = order.name or fitted.name
    used = dict.fromkeys(offered[implementation] for implementation, _ in fitted.nodes.values())
    text = document.text(fitted, name, ("bitcoin-regtest@1", *used))
    place = order.to or _home(context) / "stacks" / f"{name}.yaml"
    _refuse_wrong(str(place), text)
    overwrote = files.write(
        place,
        text.encode(),
        force=order.force,
        resolution="choose another `--name` or place (`--to`), or overwrite it with `--force`",
    )
    return ImportResult(
        stack=name,
        path=context.project.display(place),
        source=fitted.source,
        nodes=len(fitted.nodes),
        channels=len(fitted.channels),
        notes=fitted.notes,
        overwrote=overwrote,
    )


def _home(context: Context) -> Path:
    """Return the project's folder; where there is none yet, and the shipped documents stand for it, where we are."""
    project = context.project
    own = project.root != project.shipped or project.start.is_relative_to(project.root)
    return project.root if own else project.start


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}",
            code="import-unreadable",
            resolution="check its path and its permissions",
        ) from error
    if len(raw) > MOST_BYTES:
        raise InputError(
            f"`{path}` is larger than {MOST_BYTES // 1024 // 1024} MiB",
            code="import-unreadable",
            resolution="check that it is the right file",
        )
    return raw


def _offered(context: Context) -> Mapping[str, str]:
    """Return the implementations that cartridges run, each with a reference to its cartridge; the common one first."""
    found: dict[str, str] = {}
    workspace = context.workspace()
    for file in sorted(workspace.every_cartridge(), key=lambda file: (file.name != "lightning", file.name)):
        for component in file.document.components.values():
            if component.per == "node" and component.implementation:
                major = file.document.metadata.version.partition(".")[0]
                found.setdefault(component.implementation, f"{file.name}@{major}")
    return found


def _known(implementation: str, offered: Iterable[str]) -> str:
    from cartridge.workspace.validate import suggestion

    if implementation not in offered:
        raise InputError(
            f"no cartridge runs the implementation `{implementation}`",
            code="implementation-unknown",
            resolution=suggestion(implementation, (*offered, SAME)),
        )
    return implementation


def _refuse_wrong(path: str, text: str) -> None:
    """Raise DocumentsError with what is wrong with a stack that would be written, as loading it would say."""
    from cartridge.workspace.parse import parse
    from cartridge.workspace.validate import validate

    data, source, findings = parse(path, text)
    _, wrong = validate(data, source)
    if findings or wrong:
        raise DocumentsError.of((*findings, *wrong))
