"""A stack without Bitcoin: a cartridge of its own in a project of its own, with its own lock. Up within a second.

Its programs are this machine's shell and Python, or an archive of a shell where a container must have them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.scenarios.held import Project

HEAD = """\
apiVersion: cartridge/v1
kind: Cartridge
metadata: {name: shop, version: 1.0.0, description: A shop.}
artifacts:
"""
PATH = """\
  shell:
    binaries: [sh, python3]
    channels: [{channel: path}]
"""
SEARCH = "/opt/cartridge/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Stand:
    """One component of the shop.

    Attributes:
        name: of the component.
        script: what its shell runs; `$PORT` is its port, where it has one.
        ready: the probe, as YAML.
        needs: components that must be ready first.
        port: whether it has a port, called `http`.
        grace: how long its end may take.
    """

    name: str
    script: str = "echo open; exec sleep 1000"
    ready: str = "{probe: log, pattern: open}"
    needs: tuple[str, ...] = ()
    port: bool = False
    grace: str = "2 s"

    def yaml(self) -> str:
        """Return it as the cartridge has it."""
        listen = f"{{{{ listen('{self.name}', 'http').rpartition(':')[2] }}}}" if self.port else ""
        lines = [
            f"  {self.name}:",
            "    artifact: shell",
            f"    command: [\"{{{{ program('{self.name}', 'sh') }}}}\", -c, {json.dumps(self.script)}]",
            f"    depends_on: [{', '.join(self.needs)}]",
            f"    ready: {self.ready}",
            f"    stop: {{grace: {self.grace}}}",
            f"    environment: {{PATH: '{SEARCH}', PYTHON: '{sys.executable}', PORT: \"{listen}\"}}",
            *(["    ports: {http: {container: 8080}}"] if self.port else []),
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Shop:
    """The stack `shop` in a project.

    Attributes:
        project: where it is.
        stands: its components.
        artifact: the YAML of its one artifact.
        ports: fixed host ports of the stack, by component.
    """

    project: Project
    stands: tuple[Stand, ...]
    artifact: str = PATH
    ports: dict[str, int] = field(default_factory=dict)

    def write(self) -> None:
        """Write its documents into the project, in place of the shipped stack's."""
        folder = self.project.folder
        shutil.rmtree(folder / "stacks")
        (folder / "stacks").mkdir()
        (folder / "cartridges" / "shop").mkdir(parents=True, exist_ok=True)
        components = "\n".join(stand.yaml() for stand in self.stands)
        self.cartridge.write_text(f"{HEAD}{self.artifact}components:\n{components}\n")
        ports = ", ".join(f"{name}: {{http: {port}}}" for name, port in self.ports.items())
        (folder / "stacks" / "shop.yaml").write_text(
            "apiVersion: cartridge/v1\nkind: Stack\nmetadata: {name: shop}\n"
            f"use: [{{cartridge: shop@1, ports: {{{ports}}}}}]\n"
        )

    def lock(self) -> None:
        """Pin what it uses."""
        done = self.project.cartridge("lock", "--offline")
        assert done.returncode == 0, done.stderr

    @property
    def cartridge(self) -> Path:
        """Its cartridge's document."""
        return self.project.folder / "cartridges" / "shop" / "cartridge.yaml"


def opened(project: Project, *stands: Stand, artifact: str = PATH, ports: dict[str, int] | None = None) -> Shop:
    """Return a shop whose documents are written and locked."""
    shop = Shop(project, stands, artifact, ports or {})
    shop.write()
    shop.lock()
    return shop


def archive(folder: Path, *programs: str) -> str:
    """Return the YAML of an artifact `shell` whose programs come out of an archive made here."""
    path = folder / "shell.tar"
    with tarfile.open(path, "w") as tar:
        for program in programs:
            found = shutil.which(program)
            assert found, program
            tar.add(Path(found).resolve(), program)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    where = "\n".join(
        f"          {platform}: {{url: 'file://{path}', sha256: {digest}}}"
        for platform in ("linux-x86_64", "linux-aarch64")
    )
    return (
        f"  shell:\n    binaries: [{', '.join(programs)}]\n    channels:\n"
        f'      - channel: release\n        version: "1.0"\n        archives:\n{where}\n'
    )


def identity(project: Project, name: str = "shop", isolation: str = "") -> str:
    """Return the id of a stack in the project, as the design has it: name, and place and isolation."""
    place = f"{project.folder.resolve()}\0{isolation}"
    return f"{name}-{hashlib.sha256(place.encode()).hexdigest()[:6]}"


def own_template(project: Project, name: str) -> Path:
    """Give the project a copy of a shipped template, and return its path."""
    shipped = Path(__file__).resolve().parents[2] / "templates"
    (project.folder / "templates").mkdir()
    return Path(shutil.copy(shipped / name, project.folder / "templates"))
