"""The resolved stack: what a workspace means for one stack on one target, with nothing left to look up.

Frozen and printable (`cartridge show`). Never holds a secret's value, a port the machine chose, or a path
of this machine: those belong to a deployment.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from cartridge.model.artifact import Artifact
from cartridge.model.cartridge import File, Port, Ready, Scalar, Stop
from cartridge.model.network import Network
from cartridge.model.target import Target


class Template(Struct, frozen=True):
    """The text of one template, with the name it is found under."""

    name: str
    text: str


class ResolvedComponent(Struct, frozen=True):
    """One thing that will run.

    Attributes:
        name: unique in the stack; a node's name for components of a network.
        kind: the component's name in its cartridge, such as `bitcoind` or `lnd`.
        cartridge: `name@version` it came from.
        artifact: key into `ResolvedStack.artifacts`.
        command: templates, not rendered.
        environment: templates, not rendered; secret references stay references.
        files: what is rendered for it, in order.
        ports: by name.
        fixed_ports: host ports the stack insists on.
        depends_on: names of components in this stack that must be ready first.
        ready: the probe.
        timeout: milliseconds to become ready.
        stop: how it is ended.
        settings: every setting of its cartridge, with profile and bindings applied; durations in
            milliseconds, amounts in millisatoshi.
        provenance: for each setting, who set it: `default`, `profile fast`, `binding` or `--set`.
        node: the network node it embodies, or None.
    """

    name: str
    kind: str
    cartridge: str
    artifact: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    files: tuple[File, ...]
    ports: Mapping[str, Port]
    fixed_ports: Mapping[str, int]
    depends_on: tuple[str, ...]
    ready: Ready
    timeout: int
    stop: Stop
    settings: Mapping[str, Scalar]
    provenance: Mapping[str, str]
    node: str | None = None


class ResolvedStack(Struct, frozen=True):
    """A stack with every reference followed.

    Attributes:
        name: `metadata.name` of the stack.
        target: where it runs.
        components: in dependency order, then by name.
        artifacts: by name, as the cartridges declare them.
        templates: every template the components use, by name.
        network: the Lightning network, or None.
        inputs: every file that was read, project-relative path to SHA-256 (hex).
    """

    name: str
    target: Target
    components: tuple[ResolvedComponent, ...]
    artifacts: Mapping[str, Artifact]
    templates: Mapping[str, Template]
    network: Network | None
    inputs: Mapping[str, str]

    def component(self, name: str) -> ResolvedComponent:
        """Return the component called `name`.

        Raises:
            KeyError: there is none.
        """
        for component in self.components:
            if component.name == name:
                return component
        raise KeyError(name)
