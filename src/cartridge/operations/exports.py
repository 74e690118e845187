"""`network export`: a network that is up, in the forms other tools read. Secrets only where asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from cartridge.errors import InputError
from cartridge.operations.access import credentials, files, grip
from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen
from cartridge.operations.connect import connect
from cartridge.operations.results.topologies import ExportResult
from cartridge.plan.state import ComponentRecord, State
from cartridge.targets.driver import Address

LND = "lnd"


def export_network(context: Context, *, form: str, to: Path | None, reveal: bool, force: bool) -> ExportResult:
    """Return the chosen stack's network in a form of another tool, or write it to a file.

    Args:
        context: of this run.
        form: one of `FORMS`.
        to: the file to write; None for the text in the answer.
        reveal: put macaroons into lndconnect links.
        force: overwrite a file that is there.

    Raises:
        MissingError: no such stack.
        InputError: `not-exportable`, no node of it is one the form knows; what writing raises.
    """
    state = chosen(context)
    nodes = {name: record for name, record in state.components.items() if record.kind == LND}
    if not nodes:
        raise InputError(
            f"`{state.name}` has no lnd node, and `{form}` knows no other",
            code="not-exportable",
            resolution="use a network with an lnd node",
        )
    text = FORMS[form](context, state, nodes, reveal=reveal)
    others = [f"`{name}`" for name, record in state.components.items() if record.node and name not in nodes]
    left_out = f"left out, as `{form}` does not know what they run: {', '.join(others)}"
    notes = (left_out,) if others and form != "describegraph" else ()
    if to is None:
        return ExportResult(form, text, "", notes)
    files.write(to, text.encode(), force=force)
    return ExportResult(form, "", str(to), notes)


def _sim_ln(context: Context, state: State, nodes: Mapping[str, ComponentRecord], *, reveal: bool) -> str:
    """Return a simulation file of sim-ln: who the nodes are and where; activity is random where none is written."""
    folder = context.folder(state.stack).resolve()
    held = {name: credentials.of(folder, name) for name in nodes}
    entries = [
        {
            "id": held[name].identity,
            "address": f"https://127.0.0.1:{record.ports['grpc']}",
            "macaroon": str(held[name].admin_macaroon),
            "cert": str(held[name].tls_cert),
        }
        for name, record in nodes.items()
    ]
    return json.dumps({"nodes": entries}, indent=2) + "\n"


def _lndconnect(context: Context, state: State, nodes: Mapping[str, ComponentRecord], *, reveal: bool) -> str:
    """Return a line a node: its name and its link."""
    links = {name: connect(context, component=name, reveal=reveal).uris["lndconnect"] for name in nodes}
    width = max(map(len, links))
    return "".join(f"{name:<{width}}  {link}\n" for name, link in links.items())


def _describegraph(context: Context, state: State, nodes: Mapping[str, ComponentRecord], *, reveal: bool) -> str:
    """Return the graph as the first lnd node knows it, in lnd's own JSON."""
    name, record = next(iter(nodes.items()))
    rest = grip.rest(name, Address("127.0.0.1", record.ports["rest"]), context.folder(state.stack))
    return json.dumps(rest.get("/v1/graph?include_unannounced=true"), indent=2, ensure_ascii=False) + "\n"


class _Form(Protocol):
    def __call__(
        self, context: Context, state: State, nodes: Mapping[str, ComponentRecord], *, reveal: bool
    ) -> str: ...


FORMS: Mapping[str, _Form] = {
    "sim-ln": _sim_ln,
    "lndconnect": _lndconnect,
    "describegraph": _describegraph,
}
"""How each form is made."""
