"""An archive exported by Polar: `export.json` in it holds the nodes and, as links of a chart, the channels.

The rest of the archive, data of the stopped nodes, is not looked at: identities, versions and history stay behind.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from pydantic import BaseModel, Field, ValidationError

from cartridge.lightning.foreign.imported import Imported, ImportedChannel, ImportedNode, counted, unreadable

FILE = "export.json"
MOST_BYTES = 64 * 1024 * 1024
"""Of that file, unpacked."""
IMPLEMENTATIONS = {"LND": "lnd", "litd": "lnd", "c-lightning": "cln", "eclair": "eclair"}
"""Polar's words to ours; litd is lnd with more in it."""


class _Named(BaseModel):
    name: str
    implementation: str


class _Nodes(BaseModel):
    lightning: list[_Named]
    bitcoin: list[_Named] = []
    tap: list[_Named] = []


class _Network(BaseModel):
    name: str = ""
    nodes: _Nodes


class _End(BaseModel):
    nodeId: str  # noqa: N815 - Polar's spelling


class _Properties(BaseModel):
    type: str = ""
    capacity: int | None = None
    toBalance: int | None = None  # noqa: N815 - Polar's spelling
    isPrivate: bool = False  # noqa: N815 - Polar's spelling
    assets: list[object] | None = None


class _Link(BaseModel):
    source: _End = Field(alias="from")
    target: _End = Field(alias="to")
    properties: _Properties = _Properties()


class _Chart(BaseModel):
    links: dict[str, _Link] = {}


class _Export(BaseModel):
    network: _Network
    chart: _Chart = _Chart()


def is_archive(raw: bytes) -> bool:
    """Return whether these bytes are a zip archive's."""
    return raw.startswith(b"PK\x03\x04")


def read(path: str, name: str, raw: bytes) -> Imported:
    """Return the network in an archive, or in the `export.json` of one.

    Args:
        path: as the user typed it.
        name: to give it where the file has none.
        raw: content of the file.

    Raises:
        InputError: `import-unreadable`.
    """
    try:
        export = _Export.model_validate_json(_unpacked(path, raw) if is_archive(raw) else raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise unreadable(path, f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}") from error
    links = list(export.chart.links.values())
    lightning = export.network.nodes.lightning
    nodes = tuple(
        ImportedNode(node.name, node.name, IMPLEMENTATIONS.get(node.implementation, node.implementation))
        for node in lightning
    )
    channels = tuple(
        ImportedChannel(
            link.source.nodeId,
            link.target.nodeId,
            link.properties.capacity,
            link.properties.toBalance,
            link.properties.isPrivate,
        )
        for link in links
        if link.properties.type in {"open-channel", "pending-channel"}
    )
    return Imported("Polar", export.network.name or name, nodes, channels, tuple(_notes(export, links)))


def _unpacked(path: str, raw: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            inside = next((one for one in archive.infolist() if one.filename.rpartition("/")[2] == FILE), None)
            if inside is None:
                raise unreadable(path, f"there is no `{FILE}` in it, which Polar puts there since version 0.2")
            if inside.file_size > MOST_BYTES:
                raise unreadable(path, f"`{FILE}` in it is larger than {MOST_BYTES // 1024 // 1024} MiB")
            with archive.open(inside) as file:
                return file.read(MOST_BYTES)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        raise unreadable(path, f"the archive is broken: {error}") from error


def _notes(export: _Export, links: list[_Link]) -> Iterator[str]:
    nodes = export.network.nodes
    if any(node.implementation == "litd" for node in nodes.lightning):
        yield "litd becomes lnd, without what litd adds"
    if nodes.tap:
        yield f"left out: {counted(len(nodes.tap), 'Taproot Assets node')}"
    if len(nodes.bitcoin) > 1:
        yield f"one bitcoind stands for {counted(len(nodes.bitcoin), 'Bitcoin node')}"
    assets = sum(bool(link.properties.assets) for link in links)
    if assets:
        yield f"the assets in {counted(assets, 'channel')} are left out; the bitcoin is not"
