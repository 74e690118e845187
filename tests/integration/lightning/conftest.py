"""A raw chain and nodes for the tests of this folder, made of the store's programs."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import pytest

from cartridge.artifacts.installed import Installed
from cartridge.model.network import Network
from tests.integration.lightning.live import LiveNetwork, live_network
from tests.integration.lightning.raw import Programs, RawStack, of_store, raw_stack

Make = Callable[[Network], RawStack]


@pytest.fixture(
    params=["process", pytest.param("docker", marks=[pytest.mark.docker, pytest.mark.pulumi])], scope="module"
)
def everywhere(request: pytest.FixtureRequest, programs: Mapping[str, Installed]) -> Iterator[LiveNetwork]:
    """A network on each target."""
    del programs  # they are in the store now
    with live_network(request.param) as made:
        yield made


@pytest.fixture
def bare(programs: Mapping[str, Installed]) -> Programs:
    """The programs a raw stack runs."""
    return of_store(programs)


@pytest.fixture
def make(bare: Programs) -> Iterator[Make]:
    """Makes a raw stack that is gone after the test."""
    with ExitStack() as stacks:
        yield lambda network: stacks.enter_context(raw_stack(bare, network))
