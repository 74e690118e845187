"""What commands hand to operations, and what holds for all of them."""

from __future__ import annotations

import inspect
import json
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import jsonschema
import pytest

from cartridge import __version__
from cartridge.operations.access.context import Options
from cartridge.operations.pay import Manner
from cartridge.surfaces.cli import schemas
from cartridge.surfaces.cli.answers import TYPES
from cartridge.surfaces.cli.app import root
from cartridge.surfaces.cli.catalogue import SECTIONS, VERBS
from cartridge.surfaces.cli.flags import VARIABLES
from cartridge.surfaces.cli.verbs import Verbs
from tests.doubles.shell import CASES, Case, say
from tests.doubles.verbs import FakeVerbs

ROOT = Path(__file__).parents[3]


def command(verb: str) -> click.Command:
    found = root.get_command(click.Context(root), verb)
    assert found is not None
    return found


def signature(function: Callable[..., object]) -> Iterator[tuple[str, object]]:
    """Yield each parameter with its kind; their types are the type checker's business."""
    return ((name, parameter.kind) for name, parameter in inspect.signature(function).parameters.items())


def test_the_catalogue_is_what_the_command_modules_are() -> None:
    modules = {path.stem.replace("_", "-") for path in (ROOT / "src/cartridge/surfaces/cli/commands").glob("[a-z]*.py")}

    assert modules == set(VERBS)
    assert {verb: command(verb).name for verb in VERBS} == {verb: verb for verb in VERBS}
    assert all(line.endswith(".") and len(line) <= 80 for line in VERBS.values())
    assert sum(len(verbs) for verbs in SECTIONS.values()) == len(VERBS)


def leaves() -> Iterator[tuple[str, click.Command]]:
    """Yield what is typed for each command, those of groups among them."""
    for verb in VERBS:
        found = command(verb)
        if isinstance(found, click.Group):
            yield from ((f"{verb} {name}", one) for name, one in found.commands.items())
        else:
            yield verb, found


@pytest.mark.parametrize(("typed", "found"), list(leaves()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_command_answers_help_and_takes_the_flags_of_speech(typed: str, found: click.Command) -> None:
    said = say(f"cartridge {typed} --help")

    assert (said.status, said.stderr) == (0, "")
    assert said.stdout.startswith(f"Usage: cartridge {typed} ")
    assert {"--output", "--progress", "--no-color"} <= {name for flag in found.params for name in flag.opts}


def test_every_flag_with_a_variable_is_a_flag() -> None:
    known = {name for _, found in leaves() for flag in found.params for name in flag.opts}

    assert set(VARIABLES) <= known


def test_the_fake_answers_everything_the_operations_do_with_the_same_parameters() -> None:
    ours = {name: list(signature(method)) for name, method in inspect.getmembers(Verbs, inspect.isfunction)}

    assert {name: list(signature(getattr(FakeVerbs, name))) for name in ours} == ours
    assert all(getattr(FakeVerbs, name) is not getattr(Verbs, name) for name in ours)


def test_flags_reach_the_operation() -> None:
    verbs = FakeVerbs()

    said = say(
        "cartridge up -f a.yaml --file b.yaml -s shop --target docker --set profile=fast --set x=a=b --isolated"
        ' --ttl "1 h" --wait-timeout 90s --offline --refresh',
        verbs,
    )

    assert said.status == 0
    assert verbs.asked == [
        (
            "open",
            Options(
                files=("a.yaml", "b.yaml"),
                stack="shop",
                target="docker",
                bindings={"profile": "fast", "x": "a=b"},
                isolated=True,
                ttl=3_600_000,
                wait_timeout=90_000,
                offline=True,
            ),
        ),
        ("up", (True, False)),
    ]


def test_variables_stand_in_for_flags_and_flags_win() -> None:
    verbs = FakeVerbs()
    environment = {
        "CARTRIDGE_FILE": "a.yaml:b.yaml",
        "CARTRIDGE_STACK": "shop",
        "CARTRIDGE_TARGET": "docker",
        "CARTRIDGE_ISOLATED": "1",
        "CARTRIDGE_TTL": "1 h",
        "CARTRIDGE_WAIT_TIMEOUT": "90 s",
        "CARTRIDGE_OFFLINE": "1",
    }

    say("cartridge up --stack other --ttl '5 m'", verbs, environment=environment)

    expected = Options(("a.yaml", "b.yaml"), "other", "docker", {}, True, 300_000, 90_000, True)
    assert verbs.asked[0] == ("open", expected)


@pytest.mark.parametrize("line", ["cartridge exec alice -- lncli -s x", "cartridge exec alice lncli -s x"])
def test_what_stands_after_the_component_belongs_to_the_program(line: str) -> None:
    verbs = FakeVerbs()

    assert say(line, verbs).status == 7
    assert verbs.asked == [("open", Options()), ("exec", ("alice", ("lncli", "-s", "x")))]


def test_a_program_may_be_given_a_double_dash_of_its_own() -> None:
    verbs = FakeVerbs()

    say("cartridge exec alice -- sh -c 'echo $1' -- -o json", verbs)

    assert verbs.asked[-1] == ("exec", ("alice", ("sh", "-c", "echo $1", "--", "-o", "json")))


@pytest.mark.parametrize("line", ["pay alice bob 1000 sat", 'pay alice bob "1000 sat"', "pay alice bob 1000sat"])
def test_an_amount_is_one_word_or_two(line: str) -> None:
    verbs = FakeVerbs()

    say(f"cartridge {line}", verbs)

    assert verbs.asked[-1] == ("pay", ("alice", "bob", 1_000_000, Manner()))


def test_nobody_is_asked_where_nothing_would_be_removed() -> None:
    verbs = FakeVerbs(empty=True)

    assert say("cartridge down", verbs, terminal=True).stdout == "nothing was up\n"
    assert [verb for verb, _ in verbs.asked] == ["open", "ps", "down"]


def test_yes_asks_no_further() -> None:
    verbs = FakeVerbs()

    say("cartridge down --yes", verbs, terminal=True)

    assert [verb for verb, _ in verbs.asked] == ["open", "down"]


def test_version_says_what_is_there() -> None:
    said = say("cartridge version -o json")

    assert json.loads(said.stdout) == {
        "schema": "cartridge/version/v1",
        "cartridge": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "docker": "Docker version 20.10.24",
        "pulumi": "",
    }
    assert say("cartridge version").stdout.splitlines()[-1] == "pulumi     not on PATH; the store has its own"


@pytest.mark.parametrize("name", schemas.files())
def test_a_published_schema_is_fresh(name: str) -> None:
    published = ROOT / "schemas" / "output" / name

    assert published.exists(), "run `python -m cartridge.surfaces.cli.schemas schemas/output`"
    assert published.read_text(encoding="utf-8") == schemas.files()[name]


def test_no_schema_is_published_that_nothing_answers_with() -> None:
    assert {path.stem for path in (ROOT / "schemas" / "output").glob("*.json")} == set(TYPES)


ANSWERED = [path for path in sorted(CASES.glob("*.txt")) if "-o json" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", ANSWERED, ids=lambda path: path.stem)
def test_an_answer_in_json_is_as_its_schema_says(path: Path) -> None:
    case = Case.read(path)
    text = case.play().stdout
    bodies = [json.loads(line) for line in text.splitlines()] if " logs " in case.line else [json.loads(text)]

    for body in bodies:
        name = body["schema"].split("/")[1]
        jsonschema.Draft202012Validator(schemas.output_schema(name)).validate(body)


def test_every_answer_has_a_case() -> None:
    named = {
        line.split('"')[3].split("/")[1]
        for path in CASES.glob("*.txt")
        for line in path.read_text(encoding="utf-8").splitlines()
        if '"schema": "cartridge/' in line
    }

    assert set(TYPES) - named == {"version"}
