"""What every test may ask for: engines and programs that are really there, or a clear word that they are not.

A test says what it needs by a marker (`docker`, `lightning`, `pulumi`). On a laptop a missing need skips the
test and says what is missing; with `CI` set it is a failure, so that nothing is left untested unseen.
Programs come from the store, and are made first where it has them not yet.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from cartridge.artifacts.installed import Installed
    from cartridge.journal.recorder import Entry
    from cartridge.operations.access.context import Context

IN_CI = os.environ.get("CI", "") not in ("", "0", "false")

NEEDS = {"docker": ("docker_engine",), "ldk": ("ldk_program",), "lightning": ("programs",), "pulumi": ("pulumi_cli",)}
"""The fixtures each marker stands for."""

hypothesis.settings.register_profile("here", deadline=None)  # how long a case takes tells of the machine
hypothesis.settings.load_profile("here")

SHORT = 40
"""Bytes that may still stand for themselves in a test's name."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what answers soonest first: pure tests, then those with real daemons, the slow ones last."""
    weights = {"ldk": 1, "lightning": 1, "docker": 2, "pulumi": 4, "slow": 8}
    items.sort(key=lambda item: sum(weights.get(marker.name, 0) for marker in item.iter_markers()))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return two workers a processor, at most four: real daemons mostly make a test wait."""
    return min(4, 2 * (os.cpu_count() or 1))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: an archive's hold the second it was made in, and all workers must name it alike."""
    return argname if isinstance(val, bytes) and len(val) > SHORT else None


def lacking(what: str) -> None:
    """Skip the test because `what` is missing here; in CI fail it."""
    if IN_CI:
        pytest.fail(f"CI must have it: {what}", pytrace=False)
    pytest.skip(what)


@pytest.fixture(autouse=True)
def _needs(request: pytest.FixtureRequest) -> None:
    """Bring what the test's markers name before it starts."""
    for marker, fixtures in NEEDS.items():
        if request.node.get_closest_marker(marker):
            for fixture in fixtures:
                request.getfixturevalue(fixture)


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """A Docker Engine that answers."""
    import docker
    import docker.errors

    try:
        client = docker.from_env(timeout=10)
        client.ping()
        client.close()
    except docker.errors.DockerException as error:
        lacking(f"no Docker Engine answers: {error}")


@pytest.fixture(scope="session")
def programs(request: pytest.FixtureRequest) -> Mapping[str, Installed]:
    """The programs of the shipped stack for this machine, by artifact."""
    from cartridge.operations.access import programs as store

    with _opened(request) as context:
        return store.ensure(context, context.resolved())


@pytest.fixture(scope="session")
def btcd_program(request: pytest.FixtureRequest) -> Installed:
    """btcd."""
    from cartridge.operations.access import programs as store

    with _opened(request, "examples/lightning-btcd.yaml") as context:
        return store.ensure(context, context.resolved())["btcd"]


@pytest.fixture(scope="session")
def ldk_program(request: pytest.FixtureRequest) -> Installed:
    """The daemon of LDK nodes."""
    from cartridge.operations.access import programs as store

    with _opened(request, "examples/mixed-ten.yaml") as context:
        return store.ensure(context, context.resolved())["ldk"]


@pytest.fixture(scope="session")
def pulumi_cli(request: pytest.FixtureRequest) -> Installed:
    """The Pulumi CLI."""
    from cartridge.artifacts import toolchain
    from cartridge.artifacts.install import ensure
    from cartridge.operations.access import programs as store

    with _opened(request) as context:
        return ensure(toolchain.PULUMI, toolchain.PULUMI_DECLARATION, store.lock(context), store.sources(context))


@contextmanager
def _opened(request: pytest.FixtureRequest, stack: str = "stacks/lightning-pair.yaml") -> Iterator[Context]:
    """Open a context on a shipped stack that shows how far it is; what is missing is lacking."""
    from cartridge.errors import MissingError
    from cartridge.operations.access.context import Context, Options

    capture = request.config.pluginmanager.getplugin("capturemanager")
    context = Context.open(Options(files=(stack,)), "test", (_show,))
    try:
        with capture.global_and_fixture_disabled():
            yield context
    except MissingError as error:
        lacking(" · ".join((error.brief, *error.details)))
    finally:
        context.close()


def _show(entry: Entry) -> None:
    """Print a line for each step that begins: a cold store takes minutes, and silence looks like a hang."""
    from cartridge.journal.events import StepStarted

    if isinstance(entry.event, StepStarted):
        print(f"\n  {entry.event.title} …", end="", flush=True)  # noqa: T201
