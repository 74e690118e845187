"""Programs are run by argument list, come to an end in bounded time, and fail in words."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from cartridge import spawn
from cartridge.errors import ApplyError, MissingError, UnknownVerdictError


def python(code: str) -> list[str]:
    """Return the arguments that run `code` in a Python of its own."""
    return [sys.executable, "-c", code]


def test_a_program_is_run_to_its_end_and_its_words_come_back() -> None:
    argv = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")

    assert spawn.run(argv) == spawn.Finished(tuple(argv), 3, "out\n", "err\n")


def test_arguments_reach_the_program_as_they_are() -> None:
    nasty = ["two words", "$HOME", "; rm -rf /", "*", "ümlaut", ""]

    told = spawn.run([*python("import sys, json; print(json.dumps(sys.argv[1:]))"), *nasty]).stdout

    assert json.loads(told) == nasty


def test_text_is_fed_and_no_text_is_an_empty_input() -> None:
    echo = python("import sys; print(repr(sys.stdin.read()))")

    assert spawn.run(echo, stdin="grüezi").stdout == "'grüezi'\n"
    assert spawn.run(echo).stdout == "''\n"


def test_bytes_that_are_no_text_do_not_break_the_reader() -> None:
    noise = python(r"import sys; sys.stdout.buffer.write(b'\xff\x00ok')")

    assert spawn.run(noise).stdout == "\ufffd\x00ok"
    assert spawn.capture(noise) == spawn.Captured(0, b"\xff\x00ok", b"")


def test_the_environment_given_is_the_whole_environment(tmp_path: Path) -> None:
    told = spawn.run(python("import os; print(os.environ.get('HOME'), os.environ['ONLY'], os.getcwd())"), cwd=tmp_path,
                     environment={"ONLY": "this"})  # fmt: skip

    assert told.stdout.split() == ["None", "this", str(tmp_path)]


def test_a_status_other_than_zero_is_an_error_only_where_asked_for() -> None:
    argv = python("import sys; [print(i, file=sys.stderr) for i in range(30)]; sys.exit(2)")

    with pytest.raises(ApplyError) as caught:
        spawn.run(argv, check=True)

    assert caught.value.brief == f"`{sys.executable}` ended with status 2"
    assert caught.value.code == "program-failed"
    assert caught.value.details == tuple(str(number) for number in range(20, 30))


def test_a_program_that_does_not_end_is_killed_and_the_verdict_is_unknown() -> None:
    with pytest.raises(UnknownVerdictError) as caught:
        spawn.run(python("import threading; threading.Event().wait()"), timeout=0.2)

    assert (caught.value.code, caught.value.brief) == (
        "program-timeout",
        f"`{sys.executable}` did not end within 0.2 s",
    )


@pytest.mark.parametrize("how", [spawn.run, spawn.capture, spawn.attach, spawn.start])
def test_a_program_that_is_not_there_is_named(how: object) -> None:
    assert callable(how)
    with pytest.raises(MissingError) as caught:
        how(["no-such-program-anywhere"])

    assert (caught.value.code, caught.value.brief, caught.value.resolution) == (
        "program-missing",
        "`no-such-program-anywhere` cannot be run: No such file or directory",
        "install `no-such-program-anywhere`",
    )


@pytest.mark.parametrize(("mode", "reason"), [(0o644, "Permission denied"), (0o755, "Exec format error")])
def test_a_file_that_is_no_program_is_named_with_the_reason(tmp_path: Path, mode: int, reason: str) -> None:
    junk = tmp_path / "junk"
    junk.write_bytes(b"\x00\x01\x02\x03")
    junk.chmod(mode)

    with pytest.raises(MissingError) as caught:
        spawn.run([str(junk)])

    assert (caught.value.code, caught.value.brief) == ("program-missing", f"`{junk}` cannot be run: {reason}")


def test_a_folder_that_is_gone_is_not_blamed_on_the_program(tmp_path: Path) -> None:
    with pytest.raises(MissingError) as caught:
        spawn.run([sys.executable], cwd=tmp_path / "gone")

    assert caught.value.code == "folder-missing"
    assert "`" + str(tmp_path / "gone") + "`" in caught.value.brief


def test_a_started_program_runs_on_its_own_with_nothing_to_read(tmp_path: Path) -> None:
    with (tmp_path / "said").open("wb") as said:
        child = spawn.start(
            python("import os, sys; print(repr(sys.stdin.read()), os.getsid(0) == os.getpid())"),
            output=said,
            session=True,
        )
        status = child.wait(timeout=20)

    assert (status, (tmp_path / "said").read_text()) == (0, "'' True\n")
