"""Where a stack's components are on disk, and what is remembered of each beside its data.

```
<stack folder>/components/<name>/component.json   how it is started: a `Record`
                                 config/          its rendered files
                                 data/            its data; there only when seeded whole
               logs/<name>.log, .1, .2
               ports.json                         the ports it had, to have them again
```
Folders are 0700. A reference to a secret is kept as the reference; what it names never gets here.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from cartridge.render.bundle import RenderedComponent
from cartridge.targets.copying import Content, copy_file
from cartridge.targets.process.client import Definition


class Record(Struct, frozen=True, forbid_unknown_fields=True):
    """How a component is started.

    Attributes:
        name: the component.
        digest: of what was asked for; other data belongs to another digest.
        identity: of what it runs as: the digest with everything rendered, ports included.
        argv: program (absolute path) and arguments.
        environment: variables, references to secrets unresolved.
        signal: number of the signal that ends it.
        grace: seconds until it is killed then.
        depends_on: components that are ended after it.
        one_shot: whether ending with status 0 is what it is for.
        ports: numbers by name.
        programs: paths of its artifact's binaries, by name.
    """

    name: str
    digest: str
    identity: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    signal: int
    grace: float
    depends_on: tuple[str, ...]
    one_shot: bool
    ports: Mapping[str, int]
    programs: Mapping[str, str]


def identity(digest: str, rendered: RenderedComponent) -> str:
    """Return the SHA-256 (hex) over a component's digest and all it was rendered to."""
    files = [(file.path, file.mode, file.content) for file in rendered.files]
    return hashlib.sha256(
        repr((digest, rendered.command, sorted(rendered.environment.items()), files)).encode()
    ).hexdigest()


class Layout:
    """The folders of one stack.

    Args:
        folder: the stack's own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def component(self, name: str) -> Path:
        """Return the folder of a component."""
        return self.folder / "components" / name

    def config(self, name: str) -> Path:
        """Return the folder of a component's rendered files."""
        return self.component(name) / "config"

    def data(self, name: str) -> Path:
        """Return the folder of a component's data."""
        return self.component(name) / "data"

    def log(self, name: str) -> Path:
        """Return a component's newest log file; older ones end in `.1` and `.2`."""
        return self.folder / "logs" / f"{name}.log"

    def definition(self, record: Record) -> Definition:
        """Return what the guardian needs to start a component."""
        return Definition(
            name=record.name,
            digest=record.identity,
            argv=record.argv,
            cwd=str(self.data(record.name)),
            log=str(self.log(record.name)),
            stop=(record.signal, record.grace),
            depends_on=record.depends_on,
            one_shot=record.one_shot,
        )

    def record(self, name: str) -> Record | None:
        """Return what is remembered of a component, or None; a record that cannot be read counts as none."""
        try:
            return msgspec.json.decode((self.component(name) / "component.json").read_bytes(), type=Record)
        except (OSError, ValueError):
            return None

    def records(self) -> Mapping[str, Record]:
        """Return what is remembered of every component, by name."""
        found = (self.record(path.name) for path in sorted(self.folder.glob("components/*")))
        return {record.name: record for record in found if record is not None}

    def names(self) -> tuple[str, ...]:
        """Return every component of which anything is there, by name."""
        return tuple(sorted(path.name for path in self.folder.glob("components/*")))

    def remember(self, record: Record) -> None:
        """Keep a component's record, in place of an older one."""
        _private(self.component(record.name))
        _private(self.log(record.name).parent)
        _write(self.component(record.name) / "component.json", msgspec.json.encode(record))

    def configure(self, rendered: RenderedComponent) -> None:
        """Put a component's rendered files there, and nothing else beside them."""
        final = self.config(rendered.name)
        _private(final.parent)
        partial = _empty(final.with_name("config.partial"))
        for file in rendered.files:
            path = partial / file.path
            _private(path.parent)
            _create(path, file.content, file.mode)
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)

    def seed(self, name: str, seed: Callable[[], Mapping[str, Content]] | None) -> bool:
        """Make a component's data folder with what it must hold at first; return False where it is there already."""
        final = self.data(name)
        if final.is_dir():
            return False
        _private(final.parent)
        partial = _empty(final.with_name("data.partial"))
        for relative, content in (seed() if seed else {}).items():
            path = partial / relative
            _private(path.parent)
            if isinstance(content, Path):
                copy_file(content, path)
            else:
                _create(path, content, 0o600)
        partial.rename(final)
        return True

    def forget(self, name: str, *, log: bool = True) -> None:
        """Remove a component with its data, and its logs unless told to keep them."""
        doomed = self.component(name).with_name(f".{name}.doomed")
        shutil.rmtree(doomed, ignore_errors=True)
        if self.component(name).exists():
            self.component(name).rename(doomed)  # never half a data folder under its name
            shutil.rmtree(doomed, ignore_errors=True)
        if log:
            for path in self.log(name).parent.glob(f"{name}.log*"):
                path.unlink(missing_ok=True)

    def ports(self) -> Mapping[tuple[str, str], int]:
        """Return the ports that were held last, by component and port name."""
        try:
            listed = json.loads((self.folder / "ports.json").read_bytes())
            return {(component, name): int(number) for component, name, number in listed}
        except (OSError, ValueError, TypeError):
            return {}

    def remember_ports(self, held: Mapping[tuple[str, str], int]) -> None:
        """Keep the ports that are held."""
        _private(self.folder)
        _write(self.folder / "ports.json", json.dumps([[*key, number] for key, number in held.items()]).encode())

    def files(self, rendered: RenderedComponent) -> Iterator[str]:
        """Yield the path of each of a component's files that is not as rendered."""
        for file in rendered.files:
            try:
                same = (self.config(rendered.name) / file.path).read_bytes() == file.content
            except OSError:
                same = False
            if not same:
                yield file.path


def _private(folder: Path) -> None:
    """Make the folder and all that is missing above it, each mode 0700."""
    for path in (*reversed(folder.parents), folder):
        if not path.exists():
            path.mkdir(mode=0o700, exist_ok=True)


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def _create(path: Path, content: bytes, mode: int) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    _create(beside, content, 0o600)
    beside.replace(path)
