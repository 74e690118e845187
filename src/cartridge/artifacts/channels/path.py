"""Programs already installed: found on PATH, taken where their version fits, never copied.

What was learnt of a program (version, digest) is kept in the store under its path, size and date, so that asking
again costs no process. Grade `config`: nothing but the range of versions is pinned.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import msgspec
from msgspec import Struct

from cartridge.artifacts import tree, versions
from cartridge.artifacts.channel import Unserved
from cartridge.artifacts.installed import Installed
from cartridge.artifacts.sources import Sources
from cartridge.model.artifact import Artifact


class _Known(Struct, frozen=True, forbid_unknown_fields=True):
    """What was learnt of the programs of one artifact: the first one's version, one digest over all."""

    version: str
    digest: str


def find(name: str, declaration: Artifact, sources: Sources) -> Installed:
    """Return the artifact as it is installed on this machine.

    Raises:
        Unserved: a program is not there, or its version does not fit.
    """
    found = {}
    for binary in declaration.binaries:
        where = shutil.which(binary, path=sources.search)
        if where is None:
            raise Unserved(f"`{binary}` is not on PATH")
        found[binary] = Path(where).absolute()
    first = found[declaration.binaries[0]]
    known = _known(declaration, found, sources)
    check = declaration.version
    if check is not None and not versions.accepts(check.accepts, known.version):
        what = f"is version {known.version}" if known.version else "tells no version"
        raise Unserved(f"`{first}` {what}, and {check.accepts} is wanted")
    return Installed(name, known.version or "unknown", "path", known.digest, first.parent, found, None, {})


def _known(declaration: Artifact, found: dict[str, Path], sources: Sources) -> _Known:
    status = [(path.as_posix(), path.stat()) for path in found.values()]
    seen = [(path, one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns) for path, one in status]
    check = declaration.version
    asked = [seen, None if check is None else [check.command, check.pattern]]
    note = sources.store.root / "path" / f"{hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:40]}.json"
    try:
        return msgspec.json.decode(note.read_bytes(), type=_Known)
    except (OSError, ValueError):
        known = _learn(declaration, found)
    sources.store.write(note, msgspec.json.encode(known))
    return known


def _learn(declaration: Artifact, found: dict[str, Path]) -> _Known:
    check = declaration.version
    version = versions.ask(found[declaration.binaries[0]], check) if check is not None else ""
    lines = sorted(f"{binary} {tree.file_digest(path).hex()}" for binary, path in found.items())
    return _Known(version, tree.sri(hashlib.sha256("\n".join(lines).encode()).digest()))
