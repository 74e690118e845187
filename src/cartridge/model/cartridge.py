"""A cartridge: a reusable, versioned unit of components, with the settings it asks for.

Strings marked *template* are Jinja2 expressions rendered by `render` (docs/reference/templates.md).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from cartridge.model.artifact import Artifact
from cartridge.model.document import Document, Name, Part, SettingName
from cartridge.model.quantities import Duration

Version = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*@(\*|[\^~]?\d+(\.\d+){0,2})$")]
"""A cartridge and the versions that will do: `name@1`, `name@1.2`, `name@^1.2.3`, `name@~1.2`, `name@*`."""

Scalar = str | int | float | bool


class Metadata(Part):
    """What a cartridge is called."""

    name: Name
    """Lower-case letters, digits and hyphens; a letter first; at most 40 characters."""
    version: Version
    """Three numbers, as semantic versioning has them: `1.0.0`."""
    description: str = ""
    """What it is for, in a sentence."""


class Setting(Part):
    """A value a cartridge asks for; a stack gives it under `bindings`."""

    type: Literal["string", "integer", "number", "boolean", "duration", "amount", "enum"]
    """What may be given: `duration` as in `10 s`, `amount` as in `1000 sat`, `enum` one of `values`."""
    description: str
    """What it is for; shown to whoever leaves it out."""
    default: Scalar | None = None
    """None makes the setting compulsory."""
    minimum: Scalar | None = None
    """The least that may be given, of the setting's type."""
    maximum: Scalar | None = None
    """The most that may be given, of the setting's type."""
    values: tuple[str, ...] = ()
    """The choices of an `enum`."""


class Port(Part):
    """A TCP port a component listens on."""

    container: int = Field(ge=1, le=65535)
    """The port inside a container; on the process target a free one is taken."""
    publish: bool = True
    """Reachable from the host's loopback on the Docker target too."""


class File(Part):
    """A rendered file, put before the component starts."""

    path: str
    """Relative to the component's configuration folder."""
    template: str
    """Name under `templates/`."""
    mode: Literal["0644", "0600"] = "0644"
    """Who may read it: everybody, or its owner alone."""


class TcpProbe(Part):
    """A TCP connection is accepted."""

    probe: Literal["tcp"]
    port: Name
    """The name of one of the component's ports."""


class HttpProbe(Part):
    """An HTTP GET is answered with the wanted status."""

    probe: Literal["http"]
    port: Name
    """The name of one of the component's ports."""
    path: str = "/"
    """What is asked for."""
    status: int = Field(default=200, ge=100, le=599)
    """The answer that means ready."""


class LogProbe(Part):
    """A line of the log matches."""

    probe: Literal["log"]
    pattern: str
    """A regular expression, found anywhere in the line."""


class ExitProbe(Part):
    """The component ended with status 0: a one-shot."""

    probe: Literal["exit"]


class BitcoindProbe(Part):
    """bitcoind answers RPC on the right chain, and is ours (its data folder is)."""

    probe: Literal["bitcoind"]


class BtcdProbe(Part):
    """btcd answers RPC on the right chain, and is ours (its TLS key is the one in its data folder)."""

    probe: Literal["btcd"]


class ClnProbe(Part):
    """Core Lightning answers on the socket in its data folder and follows our chain."""

    probe: Literal["cln"]


class EclairProbe(Part):
    """eclair answers with this stack's password, and announces the address of its node."""

    probe: Literal["eclair"]


class LdkProbe(Part):
    """The LDK daemon answers, its identity is the expected one, and it follows our chain."""

    probe: Literal["ldk"]


class LndProbe(Part):
    """lnd says SERVER_ACTIVE, its identity is the expected one, and it follows our chain."""

    probe: Literal["lnd"]


Ready = Annotated[
    TcpProbe
    | HttpProbe
    | LogProbe
    | ExitProbe
    | BitcoindProbe
    | BtcdProbe
    | ClnProbe
    | EclairProbe
    | LdkProbe
    | LndProbe,
    Field(discriminator="probe"),
]


class Stop(Part):
    """How to end a component."""

    signal: Literal["SIGTERM", "SIGINT", "SIGQUIT"] = "SIGTERM"
    """What it is told first."""
    grace: Duration = 10_000
    """How long it may take; then it is killed."""


class Component(Part):
    """One thing that runs."""

    description: str = ""
    """What it does, in a sentence."""
    per: Literal["stack", "node"] = "stack"
    """`node`: one for each node of the stack's network with this `implementation`, named after it."""
    implementation: Name | None = None
    """With `per: node`: the word by which nodes of the network ask for this component."""
    artifact: Name
    """The entry under `artifacts` whose programs it runs; its first binary is the image's entrypoint."""
    command: tuple[str, ...] = Field(min_length=1)
    """Templates: program and arguments."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Templates. `secret:env:NAME` and `secret:file:PATH` are resolved at start and never shown."""
    files: tuple[File, ...] = ()
    """Rendered before it starts, in this order."""
    ports: dict[Name, Port] = Field(default_factory=dict)
    """What it listens on, by a name that templates and probes use."""
    depends_on: tuple[Name, ...] = ()
    """Components (of this cartridge or of a required one) that must be ready first."""
    ready: Ready
    """How to find out that it is ready."""
    timeout: Duration = 60_000
    """How long it may take to become ready."""
    stop: Stop = Stop()
    """How it is ended."""


class Cartridge(Document):
    """A reusable unit: `cartridges/<name>/cartridge.yaml`."""

    kind: Literal["Cartridge"]
    metadata: Metadata
    """What it is called."""
    requires: tuple[Reference, ...] = ()
    """Cartridges it needs; they join every stack that uses it: `name@1`, `name@^1.2.3`, `name@*`."""
    settings: dict[SettingName, Setting] = Field(default_factory=dict)
    """What a stack may give it, by name; templates read them as `settings.NAME`."""
    profiles: dict[Name, dict[SettingName, Scalar]] = Field(default_factory=dict)
    """Named sets of settings; the binding `profile` chooses one, `default_profile` otherwise."""
    default_profile: Name | None = None
    """The profile that applies where no binding chooses one."""
    artifacts: dict[Name, Artifact] = Field(default_factory=dict)
    """The programs its components run, by name."""
    components: dict[Name, Component] = Field(default_factory=dict)
    """What it runs, by name."""
