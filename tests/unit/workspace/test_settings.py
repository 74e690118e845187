"""The environment becomes settings: typed, with defaults, and what is wrong is said."""

from __future__ import annotations

import os
import subprocess  # noqa: TID251 — the question is what a fresh interpreter imports
import sys
from pathlib import Path

import pytest

from cartridge.errors import InputError
from cartridge.workspace import settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert settings.read({"HOME": "/home/me"}) == settings.Settings(
        files=(),
        stack=None,
        target=None,
        isolated=False,
        isolation="",
        ttl=None,
        wait_timeout=None,
        offline=False,
        output="text",
        progress="auto",
        no_color=False,
        ci=False,
        store=Path("/home/me/.cache/cartridge"),
        state_home=Path("/home/me/.local/state/cartridge"),
        runtime=Path(f"/tmp/cartridge-{os.getuid()}"),
        home=Path("/home/me"),
        path=os.defpath,
        mirror=None,
        step_gate=None,
        warnings=(),
    )


def test_every_variable_has_its_effect() -> None:
    assert settings.read(
        {
            "CARTRIDGE_FILE": "a.yaml:b.yaml",
            "CARTRIDGE_STACK": "shop",
            "CARTRIDGE_TARGET": "docker",
            "CARTRIDGE_ISOLATED": "1",
            "CARTRIDGE_TTL": "1 h",
            "CARTRIDGE_WAIT_TIMEOUT": "90s",
            "CARTRIDGE_OFFLINE": "yes",
            "CARTRIDGE_OUTPUT": "json",
            "CARTRIDGE_PROGRESS": "plain",
            "CARTRIDGE_MIRROR": "https://mirror.example",
            "CARTRIDGE_STEP_GATE": "/run/gate",
            "GITHUB_RUN_ID": "7",
            "GITHUB_JOB": "test",
            "NO_COLOR": "1",
            "CI": "true",
            "HOME": "/home/me",
            "XDG_CACHE_HOME": "/cache",
            "XDG_STATE_HOME": "/state",
            "XDG_RUNTIME_DIR": "/run/user/1",
            "PATH": "/bin",
        }
    ) == settings.Settings(
        files=("a.yaml", "b.yaml"),
        stack="shop",
        target="docker",
        isolated=True,
        isolation="7-test",
        ttl=3_600_000,
        wait_timeout=90_000,
        offline=True,
        output="json",
        progress="plain",
        no_color=True,
        ci=True,
        store=Path("/cache/cartridge"),
        state_home=Path("/state/cartridge"),
        runtime=Path("/run/user/1/cartridge"),
        home=Path("/home/me"),
        path="/bin",
        mirror="https://mirror.example",
        step_gate=Path("/run/gate"),
    )


def test_our_own_folders_win_over_the_desktops() -> None:
    read = settings.read(
        {"CARTRIDGE_STORE": "/store", "XDG_CACHE_HOME": "/cache", "CARTRIDGE_RUNTIME": "/r", "XDG_RUNTIME_DIR": "/x"}
    )

    assert (read.store, read.runtime) == (Path("/store"), Path("/r"))


@pytest.mark.parametrize(
    ("name", "value", "resolution"),
    [
        ("CARTRIDGE_TTL", "soon", "write a number and one of `ms`, `s`, `m`, `h`, `d`, such as `10 s`"),
        ("CARTRIDGE_TTL", "60", "write a number and one of `ms`, `s`, `m`, `h`, `d`, such as `10 s`"),
        ("CARTRIDGE_TARGET", "podman", "one of `process`, `docker`"),
        ("CARTRIDGE_OUTPUT", "xml", "one of `text`, `json`"),
        ("CARTRIDGE_OFFLINE", "maybe", "write `1` or `0`"),
    ],
)
def test_a_wrong_value_is_refused(name: str, value: str, resolution: str) -> None:
    with pytest.raises(InputError) as caught:
        settings.read({name: value})

    assert (caught.value.code, caught.value.brief, caught.value.resolution) == (
        "variable-wrong",
        f"the variable {name} holds `{value}`",
        resolution,
    )


def test_a_variable_that_means_nothing_is_a_warning_with_a_suggestion() -> None:
    (warning,) = settings.read({"CARTRIDGE_OFLINE": "1"}).warnings

    assert (warning.code, warning.resolution) == ("variable-unknown", "did you mean CARTRIDGE_OFFLINE?")


def test_every_variable_of_the_table_fills_a_setting() -> None:
    fields = set(settings.Settings.__struct_fields__)

    assert {entry.setting for entry in settings.VARIABLES} == fields - {"warnings"}


def test_settings_hold_no_part_of_the_environment_that_may_be_secret() -> None:
    assert "hunter2" not in repr(settings.read({"TOKEN": "hunter2", "CARTRIDGE_WHATEVER": "hunter2"}))


def test_the_way_to_an_unchanged_up_imports_no_models() -> None:
    code = (
        "import sys; from cartridge.workspace import inputs, project, settings;"
        "inputs.inputs(project.find(settings.read({'HOME': '/'})));"
        "print(*{'pydantic', 'yaml', 'jinja2'} & set(sys.modules))"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == ""
