"""What every test may ask for: engines that are really there, or a clear word that they are not.

A test says what it needs by a marker (`docker`, `lightning`, `pulumi`). On a laptop a missing need skips the
test and says what is missing; with `CI` set it is a failure, so that nothing is left untested unseen.
"""

from __future__ import annotations

import os

import pytest

IN_CI = os.environ.get("CI", "") not in ("", "0", "false")


def lacking(what: str) -> None:
    """Skip the test because `what` is missing here; in CI fail it."""
    if IN_CI:
        pytest.fail(f"CI must have it: {what}", pytrace=False)
    pytest.skip(what)


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


@pytest.fixture(autouse=True)
def _needs(request: pytest.FixtureRequest) -> None:
    """Bring what the test's markers name before it starts."""
    for marker, fixture in (("docker", "docker_engine"),):
        if request.node.get_closest_marker(marker):
            request.getfixturevalue(fixture)
