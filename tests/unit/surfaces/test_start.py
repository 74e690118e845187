"""What a command may import before it answers: structure, so that start-up times cannot creep up unseen.

Each runs in a Python of its own and says what is loaded when it ends.
"""

from __future__ import annotations

import json
import sys

import pytest

from cartridge.spawn import run

HEAVY = {"docker", "grpc", "jinja2", "psutil", "pulumi", "pydantic", "rich", "urllib3", "yaml"}

PROGRAM = """
import json, sys
{body}
sys.stderr.write(json.dumps(sorted(sys.modules)))
"""

FAKE = """
from cartridge.surfaces.cli.app import run
from cartridge.workspace import settings
from tests.doubles.verbs import FakeVerbs
assert run({arguments}, FakeVerbs({world}), settings.read({{"CARTRIDGE_PROGRESS": "plain"}})) == 0
"""


def loaded(body: str) -> set[str]:
    """Return the names of the modules that are loaded when `body` has run."""
    finished = run([sys.executable, "-c", PROGRAM.format(body=body)], timeout=60)
    assert finished.status == 0, finished.stderr
    return set(json.loads(finished.stderr.splitlines()[-1]))


def test_the_version_costs_no_import() -> None:
    ours = {
        name
        for name in loaded("sys.argv[1:] = ['--version']\nfrom cartridge.__main__ import main\nmain()")
        if name.startswith(("cartridge", "click", "argparse", "importlib.metadata"))
    }

    assert ours == {"cartridge", "cartridge.__main__"}


def test_help_imports_no_command() -> None:
    names = loaded("from cartridge.surfaces.cli.app import run\nassert run(['--help']) == 0")

    assert not {name for name in names if name.startswith("cartridge.surfaces.cli.commands")}
    assert not names & HEAVY


def test_completing_a_verb_imports_no_command() -> None:
    body = (
        "from cartridge.surfaces.cli.app import root\n"
        "from click.shell_completion import BashComplete\n"
        "done = BashComplete(root, {}, 'cartridge', 'X').get_completions([], 'p')\n"
        "assert [item.value for item in done] == ['plan', 'ps', 'pay'], done"
    )

    assert not {name for name in loaded(body) if name.startswith("cartridge.surfaces.cli.commands")}


@pytest.mark.parametrize(
    ("arguments", "world"),
    [
        (["ps"], ""),
        (["ps", "-o", "json"], ""),
        (["up"], "up_again=True"),
        (["up"], ""),
        (["down", "-y"], ""),
        (["logs", "alice"], ""),
        (["connect", "alice"], ""),
        (["pay", "alice", "bob", "1000 sat"], ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value or "well",
)
def test_a_command_imports_only_itself_and_nothing_heavy(arguments: list[str], world: str) -> None:
    names = loaded(FAKE.format(arguments=arguments, world=world))
    commands = {name.rpartition(".")[2] for name in names if name.startswith("cartridge.surfaces.cli.commands.")}

    assert commands - {"ps"} == {arguments[0]} - {"ps"}  # `up` draws its table as `ps` does
    assert not names & HEAVY


@pytest.mark.parametrize("arguments", [["ps"], ["explain"], ["wait"], ["connect", "alice"]])
def test_a_real_look_imports_nothing_heavy(arguments: list[str]) -> None:
    names = loaded(
        "import os, tempfile\nos.chdir(tempfile.mkdtemp())\n"
        f"from cartridge.surfaces.cli.app import run\nassert run({arguments}) in (0, 3)"
    )

    assert not names & HEAVY
