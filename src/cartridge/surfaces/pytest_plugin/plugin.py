"""pytest's door, loaded in every pytest run: options, a marker, three fixtures, and what a failure shows.

Imports nothing of ours until a test asks for a network. Decides nothing: `session` makes networks and ends them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cartridge.journal.recorder import Entry
    from cartridge.surfaces.pytest_plugin.choice import Choice
    from cartridge.surfaces.pytest_plugin.network import Lightning
    from cartridge.surfaces.pytest_plugin.session import Networks

FIXTURES = frozenset({"lightning", "lightning_module", "lightning_session"})
MARKER = "cartridge"
PATIENCE = 2.0
"""Seconds for which the first network is made in silence."""
SETTINGS = {
    "cartridge_stack": ("", "the stack whose forks tests get; without it, the project's only one"),
    "cartridge_target": ("", "where forks run, `process` or `docker`; without it, as the stack says"),
    "cartridge_snapshot": ("", "name or id of the snapshot that is forked; without it, the stack just come up"),
    "cartridge_ttl": ("2 m", "how long a fork outlives a test session that was killed"),
    "cartridge_spares": ("2", "forks made ahead of the tests that will take them"),
}
"""What may stand in pytest's configuration: default, and what it says in `pytest --help`."""

_networks: pytest.StashKey[Networks] = pytest.StashKey()
_lent: pytest.StashKey[list[Lightning]] = pytest.StashKey()
_failed: pytest.StashKey[bool] = pytest.StashKey()
_next: pytest.StashKey[tuple[pytest.Item, pytest.Item | None]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what may be set, on the command line and in the configuration."""
    group = parser.getgroup("cartridge", "Lightning networks for tests (cartridge)")
    group.addoption("--cartridge-stack", metavar="NAME", help="The stack whose forks tests get.")
    group.addoption("--cartridge-target", choices=("process", "docker"), help="Where forks run.")
    group.addoption("--cartridge-snapshot", metavar="NAME", help="The snapshot that is forked.")
    group.addoption(
        "--cartridge-keep", action="store_true", help="Leave the network of a failed test running, for a look."
    )
    for name, (default, meaning) in SETTINGS.items():
        parser.addini(name, f"cartridge: {meaning}", default=default)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", f"{MARKER}(stack=…, target=…, snapshot=…): of which network the test's `lightning` is a fork"
    )


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look at the environment and the folder as they are before any test, where one wants a network.

    Raises:
        pytest.UsageError: a setting or a variable is wrong.
    """
    if session.config.option.collectonly or not any(_wants(item) for item in session.items):
        return
    from cartridge.errors import CartridgeError

    try:
        _of(session.config)
    except CartridgeError as error:
        raise pytest.UsageError(f"{error.brief}; {error.resolution}") from error


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Take note of what comes next, so that its network can be made meanwhile."""
    item.config.stash[_next] = item, nextitem


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put into the report of a failed test what its networks said."""
    report = yield
    if report.failed:
        from cartridge.surfaces.pytest_plugin import evidence

        for node in item.listchain():
            node.stash[_failed] = True
        report.sections += evidence.of_error(call.excinfo.value if call.excinfo else None)
        for node in item.listchain():
            for network in node.stash.get(_lent, []):
                report.sections += evidence.of_network(network, kept=item.config.option.cartridge_keep)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End every network that is left, whatever happened."""
    if (networks := session.config.stash.get(_networks, None)) is not None:
        networks.close()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what was kept, and what did not end."""
    if (networks := config.stash.get(_networks, None)) is not None and networks.notes:
        terminalreporter.section("cartridge")
        for note in networks.notes:
            terminalreporter.line(note)


@pytest.fixture
def lightning(request: pytest.FixtureRequest) -> Iterator[Lightning]:
    """A Lightning network of this test's own: a fork of the stack's, gone after the test."""
    yield from _lend(request)


@pytest.fixture(scope="module")
def lightning_module(request: pytest.FixtureRequest) -> Iterator[Lightning]:
    """A Lightning network that the tests of this module share."""
    yield from _lend(request)


@pytest.fixture(scope="session")
def lightning_session(request: pytest.FixtureRequest) -> Iterator[Lightning]:
    """A Lightning network that all tests of this session, or of one xdist worker, share."""
    yield from _lend(request)


def _lend(request: pytest.FixtureRequest) -> Iterator[Lightning]:
    """Take a network for the fixture's scope and give it back at the end, whatever the tests did."""
    from cartridge.errors import CartridgeError
    from cartridge.surfaces.pytest_plugin import evidence
    from cartridge.surfaces.pytest_plugin.choice import choice_of

    node, config = request.node, request.config
    try:
        networks, wanted = _of(config), choice_of(config, node)
        following = islice(_following(request), networks.spares)
        lent = networks.take(wanted, [choice for item in following if (choice := _choice_to_come(config, item))])
    except CartridgeError as error:
        pytest.fail(evidence.told(error), pytrace=False)
    node.stash.setdefault(_lent, []).append(lent)
    try:
        yield lent
    finally:
        node.stash[_lent].remove(lent)
        networks.give_back(lent, keep=config.option.cartridge_keep and node.stash.get(_failed, False))


def _of(config: pytest.Config) -> Networks:
    """Return the session's networks, made at the first call."""
    if _networks not in config.stash:
        from cartridge.surfaces.pytest_plugin.session import Networks

        config.stash[_networks] = Networks(
            ttl=str(config.getini("cartridge_ttl")),
            spares=str(config.getini("cartridge_spares")),
            worker=getattr(config, "workerinput", {}).get("workerid", ""),
            say=partial(_say, config),
        )
    return config.stash[_networks]


def _following(request: pytest.FixtureRequest) -> Iterator[pytest.Item]:
    """Yield tests that come after this one, each of which will take a network; a worker knows but the next."""
    _, following = request.config.stash.get(_next, (None, None))
    if following is None:
        return
    rest: Iterable[pytest.Item] = [following]
    if not hasattr(request.config, "workerinput"):
        items = request.session.items
        rest = islice(items, items.index(following), None)
    yield from (one for one in rest if "lightning" in getattr(one, "fixturenames", ()))


def _choice_to_come(config: pytest.Config, item: pytest.Item) -> Choice | None:
    from cartridge.errors import InputError
    from cartridge.surfaces.pytest_plugin.choice import choice_of

    try:
        return choice_of(config, item)
    except InputError:  # that test will say so
        return None


def _say(config: pytest.Config, entry: Entry) -> None:
    """Show how far the first network is where that takes long: programs may have to be built."""
    from cartridge.journal.events import StepStarted

    reporter, capture = (config.pluginmanager.getplugin(name) for name in ("terminalreporter", "capturemanager"))
    if entry.offset > PATIENCE and isinstance(entry.event, StepStarted) and reporter and capture:
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(f"cartridge: {entry.event.title} …")


def _wants(item: pytest.Item) -> bool:
    return not FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
