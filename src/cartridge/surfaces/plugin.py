"""Plain Pulumi's doors: the provider and the language host it starts, and the program in `stacks/__main__.py`.

Nobody types these commands; Pulumi finds them on PATH. They print a port and then serve. An error reaches the user
through Pulumi, which shows the sentence our services answer with.
"""

from __future__ import annotations

from functools import cache

from cartridge.deploy.pulumi.kinds import Making
from cartridge.model.target import Target
from cartridge.operations.access.context import Context, Options
from cartridge.operations.plain import PlainStack


def main() -> None:
    """Be the provider: `pulumi-resource-cartridge`."""
    from cartridge.clock import SystemClock
    from cartridge.deploy.pulumi.plugin import serve_provider

    serve_provider(_making, SystemClock())


def language() -> None:
    """Be the language host: `pulumi-language-cartridge`."""
    from cartridge.clock import SystemClock
    from cartridge.deploy.pulumi.plugin import serve_language

    serve_language(SystemClock())


def program() -> None:
    """Declare the resources of the stack that Pulumi has selected; the whole of `stacks/__main__.py`."""
    from cartridge.deploy.pulumi.program import declare_selected

    declare_selected(lambda stack_id: _stack(stack_id).graph())


def _making(urn: str) -> Making:
    return _stack(urn.split("::", maxsplit=1)[0].removeprefix("urn:pulumi:")).making()


@cache
def _stack(stack_id: str) -> PlainStack:
    """Return the stack of an id, such as `lightning-pair-1a2b3c`: a name of a document and where the project is."""
    name = stack_id.rpartition("-")[0] or stack_id
    return PlainStack(Context.open(Options(stack=name, target=Target.DOCKER.value), "pulumi"), stack_id)
