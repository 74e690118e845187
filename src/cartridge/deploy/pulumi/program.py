"""The Pulumi program of a stack: typed resources, and which comes before which. Has no effect of its own.

Imports `pulumi`, so it is imported late, while the CLI starts.
"""

from __future__ import annotations

from collections.abc import Callable

import pulumi

from cartridge.deploy.pulumi.graph import CONTAINER, NETWORK, SHARED, VOLUME, Graph


class Network(pulumi.CustomResource):
    """A bridge network of a stack's own. Output: `name`."""

    name: pulumi.Output[str]

    def __init__(self, resource: str, name: str) -> None:
        super().__init__(NETWORK, resource, {"name": name})


class Volume(pulumi.CustomResource):
    """A component's data. Output: `name`. Another `epoch` is other data."""

    name: pulumi.Output[str]

    def __init__(self, resource: str, inputs: dict[str, object]) -> None:
        super().__init__(VOLUME, resource, inputs)


class Container(pulumi.CustomResource):
    """A component's container. Outputs: `running`, `hostPorts`. Another `digest` is another container."""

    running: pulumi.Output[bool]

    def __init__(self, resource: str, inputs: dict[str, object], after: list[Container]) -> None:
        options = pulumi.ResourceOptions(depends_on=after)
        super().__init__(CONTAINER, resource, {**inputs, "running": None, "hostPorts": None}, options)


def declare_selected(graphs: Callable[[str], Graph]) -> None:
    """Register every resource of the stack that Pulumi has selected; `graphs` returns its graph by its id."""
    declare(graphs(pulumi.get_stack()))


def declare(graph: Graph) -> None:
    """Register every resource of the graph; runs inside a Pulumi program."""
    network = Network(SHARED, graph.network.name)
    made: dict[str, Container] = {}
    for component in graph.containers:
        volume = Volume(component, graph.volume_inputs(component))
        inputs = {**graph.container_inputs(component), "network": network.name, "volume": volume.name}
        after = [made[name] for name in graph.depends_on[component] if name in made]
        made[component] = Container(component, inputs, after)
