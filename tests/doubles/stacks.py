"""Resolved stacks by hand: the smallest that a stage after resolving can be tested with."""

from __future__ import annotations

from cartridge.model.artifact import Artifact, PathChannel
from cartridge.model.cartridge import File, Port, Stop, TcpProbe
from cartridge.model.network import Network
from cartridge.model.target import Target
from cartridge.workspace.resolved import ResolvedComponent, ResolvedStack, Template

SLEEP = Artifact(binaries=("sleep",), channels=(PathChannel(channel="path"),))


def component(name: str = "web", **changes: object) -> ResolvedComponent:
    """Return a component that sleeps; `changes` are fields to replace."""
    fields: dict[str, object] = {
        "name": name,
        "kind": "web",
        "cartridge": "shop@1.0.0",
        "artifact": "sleep",
        "command": ("{{ program(component.name, 'sleep') }}", "60"),
        "environment": {"PORT": "{{ listen(component.name, 'http') }}"},
        "files": (File(path="web.conf", template="web.conf.j2"),),
        "ports": {"http": Port(container=80)},
        "fixed_ports": {},
        "depends_on": (),
        "ready": TcpProbe(probe="tcp", port="http"),
        "timeout": 1000,
        "stop": Stop(),
        "settings": {"greeting": "hello"},
        "provenance": {"greeting": "default"},
    }
    return ResolvedComponent(**{**fields, **changes})  # type: ignore[arg-type]


def stack(
    *components: ResolvedComponent,
    template: str = "say {{ settings.greeting }}\n",
    network: Network | None = None,
    target: Target = Target.PROCESS,
) -> ResolvedStack:
    """Return a stack of these components with one template, `web.conf.j2`."""
    return ResolvedStack(
        name="shop",
        target=target,
        components=components or (component(),),
        artifacts={"sleep": SLEEP},
        templates={"web.conf.j2": Template("web.conf.j2", template)},
        network=network,
        inputs={},
    )


def network(*channels: dict[str, object], nodes: tuple[str, ...] = ("alice", "bob")) -> Network:
    """Return a network of lnd nodes with these channels, as YAML has them."""
    return Network.model_validate({"nodes": {name: {"implementation": "lnd"} for name in nodes}, "channels": channels})
