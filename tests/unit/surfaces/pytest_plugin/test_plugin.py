"""The pytest plugin where no network is made: options, marker, errors."""

from __future__ import annotations

import jinja2  # noqa: F401 - what a run in this process is the first to import is imported again by the next
import pytest
import yaml  # noqa: F401

from cartridge.surfaces.pytest_plugin import session  # noqa: F401
from cartridge.workspace import load, resolve  # noqa: F401

pytest_plugins = ["pytester"]

STACK = """\
apiVersion: cartridge/v1
kind: Stack
metadata: {name: NAME, description: For tests.}
use:
  - cartridge: bitcoin-regtest@1
"""
TEST = "def test_pay(lightning): raise AssertionError('it came so far')\n"


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with one stack, which has no network."""
    pytester.mkdir("stacks").joinpath("bare.yaml").write_text(STACK.replace("NAME", "bare"))
    pytester.makeini("[pytest]\naddopts = --strict-markers -p no:cacheprovider")
    return pytester


def run(project: pytest.Pytester, source: str, *arguments: str) -> tuple[int, str]:
    """Run pytest on one test file; return its exit status and all it said."""
    project.makepyfile(source)
    done = project.runpytest_inprocess("--tb=short", *arguments)
    return int(done.ret), f"{done.stdout}\n{done.stderr}"


def test_pytest_says_what_can_be_set(project: pytest.Pytester) -> None:
    _, told = run(project, "", "--help")

    for word in ("--cartridge-stack", "--cartridge-target", "--cartridge-keep", "cartridge_ttl", "cartridge_spares"):
        assert word in told


def test_a_run_without_networks_is_as_without_the_plugin(project: pytest.Pytester) -> None:
    status, _ = run(project, "def test_it(): pass\n", "-o", "cartridge_ttl=nonsense")

    assert (status, list(project.path.glob(".cartridge"))) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-o", "cartridge_ttl=soon"), ("the setting `cartridge_ttl` is `soon`", "10 s")),
        (("-o", "cartridge_ttl=1 s"), ("the setting `cartridge_ttl` is `1 s`", "`3 s` or more")),
        (("-o", "cartridge_spares=-1"), ("the setting `cartridge_spares` is `-1`", "from 0 to 16")),
    ],
)
def test_a_wrong_setting_ends_the_session_before_any_test(
    project: pytest.Pytester, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    status, told = run(project, TEST, *arguments)

    assert status == pytest.ExitCode.USAGE_ERROR
    for word in words:
        assert word in told


@pytest.mark.parametrize(
    ("marker", "arguments", "words"),
    [
        ("", (), ("`bare` has no network to fork", "cartridge explain network-empty")),
        ("(stack='nobody')", (), ("nobody", "cartridge explain stack-unknown")),
        ("", ("--cartridge-stack", "nobody"), ("nobody", "cartridge explain stack-unknown")),
        ("", ("-o", "cartridge_stack=nobody"), ("nobody", "cartridge explain stack-unknown")),
        ("", ("-o", "cartridge_target=moon"), ("there is no target `moon`", "cartridge explain target-unknown")),
        ("(snapshot='nothing')", (), ("there is no snapshot `nothing` here", "cartridge explain snapshot-unknown")),
        ("('bare')", (), ("this `cartridge` marker cannot be understood", "`stack=…`, `target=…`, `snapshot=…`")),
        ("(stak='bare')", (), ("this `cartridge` marker cannot be understood",)),
        ("(stack=3)", (), ("this `cartridge` marker cannot be understood",)),
    ],
)
def test_a_network_that_cannot_be_made_is_an_error_in_words(
    project: pytest.Pytester, marker: str, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    decorated = f"import pytest\n\n@pytest.mark.cartridge{marker}\n{TEST}" if marker else TEST

    _, told = run(project, decorated, *arguments)

    assert ("1 error" in told, "Traceback" in told) == (True, False)
    for word in words:
        assert word in told


def test_a_marker_wins_over_the_command_line_and_that_over_the_settings(project: pytest.Pytester) -> None:
    marked = f"import pytest\n\n@pytest.mark.cartridge(stack='first')\n{TEST}{TEST.replace('_pay', '_two')}"

    _, told = run(project, marked, "--cartridge-stack", "second", "-o", "cartridge_stack=third")

    assert ("`first`" in told, "`second`" in told, "`third`" in told) == (True, True, False)
