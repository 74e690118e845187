"""Bugs, Ctrl-C, a reader that has gone, a shell that completes: how a run ends where it does not just answer."""

from __future__ import annotations

import re
import signal
import sys
import threading
from pathlib import Path

import pytest

from cartridge.spawn import run, start
from cartridge.surfaces.cli import interruption
from cartridge.surfaces.cli.crash import crash_page
from cartridge.workspace.settings import inherited
from tests.doubles.shell import WORLDS, say
from tests.doubles.verbs import FakeVerbs

BUG = """
import sys
from cartridge.surfaces.cli.app import run
from cartridge.workspace import settings
from tests.doubles.verbs import FakeVerbs
secret = "hunter2-in-a-variable"
sys.exit(run(["up", "--stack", "shop"], FakeVerbs(failing=KeyError("rpcpassword=hunter2hunter2")), settings.read({})))
"""


def test_a_bug_becomes_a_file_and_one_block(tmp_path: Path) -> None:
    finished = run([sys.executable, "-c", BUG], environment=surroundings(TMPDIR=str(tmp_path)), timeout=60)

    (page,) = tmp_path.iterdir()
    assert (finished.stdout, finished.status) == ("", 70)
    assert finished.stderr == (
        f"error[bug]: a bug in Cartridge (KeyError); `{page}` says what happened\n"
        "  try: paste that file into an issue; it holds no secret and no local variable\n"
        "  see: cartridge explain bug\n"
    )
    text = page.read_text(encoding="utf-8")
    assert text.startswith("### `KeyError` in `verbs.py:")
    assert '- command: `cartridge "up" "--stack" "shop"`\n' in text
    assert "rpcpassword=[hidden]" in text
    assert "hunter2" not in text
    assert page.stat().st_mode & 0o777 == 0o600


def test_a_fence_holds_what_has_fences_in_it() -> None:
    page = crash_page(ValueError("```` in the middle"), [], None)

    assert "\n`````text\n" in page
    assert page.endswith("`````\n")


def surroundings(**more: str) -> dict[str, str]:
    """Return an environment in which a script finds the doubles."""
    return {**inherited(), "PYTHONPATH": str(Path(__file__).parents[3]), **more}


@pytest.mark.parametrize("world", WORLDS)
def test_no_world_ends_in_a_traceback(world: str) -> None:
    for line in ("up", "down -y", "ps", "logs", "check", "doctor", "gc", "connect alice"):
        said = say(f"cartridge {line}", WORLDS[world]())

        assert "Traceback" not in said.stderr
        assert said.status in {0, 1, 2, 3, 4, 5, 130}


def test_the_first_ctrl_c_asks_and_the_second_ends() -> None:
    cancelled, lines = threading.Event(), []

    with interruption.handled(cancelled, lines.append):
        signal.raise_signal(signal.SIGINT)
        assert (cancelled.is_set(), lines) == (True, [interruption.ORDERLY])
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_request_to_end_is_a_first_ctrl_c() -> None:
    cancelled, lines = threading.Event(), []

    with interruption.handled(cancelled, lines.append):
        signal.raise_signal(signal.SIGTERM)

    assert (cancelled.is_set(), lines) == (True, [interruption.ORDERLY])


def test_a_stream_of_lines_ends_at_the_first() -> None:
    cancelled = threading.Event()

    with pytest.raises(KeyboardInterrupt), interruption.handled(cancelled, print, orderly=False):
        signal.raise_signal(signal.SIGINT)

    assert cancelled.is_set()


def test_ctrl_c_is_left_to_the_program_that_has_the_terminal() -> None:
    with interruption.left_to_child():
        signal.raise_signal(signal.SIGINT)


ENDLESS = """
import sys
from cartridge.surfaces.cli.app import run
from cartridge.workspace import settings
from tests.doubles.verbs import FakeVerbs

class Endless(FakeVerbs):
    def logs(self, context, *, components, tail, follow):
        while True:
            yield "alice", b"again\\n"

sys.exit(run(["logs", "--follow"], Endless(), settings.read({})))
"""


def test_a_reader_that_has_gone_ends_the_run_quietly(tmp_path: Path) -> None:
    script = tmp_path / "endless.py"
    script.write_text(ENDLESS, encoding="utf-8")
    environment = surroundings()

    finished = run(
        ["bash", "-c", f"'{sys.executable}' {script} | head -n 2; echo ${{PIPESTATUS[0]}}"],
        environment=environment,
        timeout=60,
    )

    assert (finished.stdout, finished.stderr) == ("alice | again\nalice | again\n0\n", "")


WAITING = """
import sys, threading
from cartridge.errors import InterruptError
from cartridge.surfaces.cli.app import run
from cartridge.workspace import settings
from tests.doubles.verbs import FakeVerbs

class Waiting(FakeVerbs):
    def up(self, context, **_):
        with context.recorder.step("start", "starting"):
            print("ready", flush=True)
            while not context.cancelled.wait(0.05):
                pass
            {after}

sys.exit(run(["up"], Waiting(), settings.read({{}})))
"""


@pytest.mark.parametrize(
    ("after", "signals", "said"),
    [
        ("raise InterruptError", 1, "failed   starting: interrupted"),
        ("threading.Event().wait(60)", 2, "failed   starting: KeyboardInterrupt"),
    ],
    ids=["once", "twice"],
)
def test_ctrl_c_ends_a_real_process(tmp_path: Path, after: str, signals: int, said: str) -> None:
    script, out = tmp_path / "waiting.py", tmp_path / "out"
    script.write_text(WAITING.format(after=after), encoding="utf-8")
    environment = surroundings()
    with out.open("wb") as sink:
        process = start([sys.executable, str(script)], environment=environment, output=sink, session=True)

    _until(lambda: "ready" in out.read_text(encoding="utf-8"))
    process.send_signal(signal.SIGINT)
    if signals == 2:
        _until(lambda: interruption.ORDERLY in out.read_text(encoding="utf-8"))
        process.send_signal(signal.SIGINT)

    assert process.wait(20) == 130
    text = re.sub(r"^ +[\d.]+ s  ", "", out.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert f"note     {interruption.ORDERLY}\n" in text
    assert said in text
    assert text.endswith("interrupted\n")


def _until(question: object) -> None:
    from cartridge.clock import SystemClock
    from cartridge.probes.wait import Patience, until

    assert callable(question)
    until(question, "the process", Patience.of(SystemClock(), 20))


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("cartridge p", ["plan", "ps", "pay"]),
        ("cartridge logs b", ["bob"]),
        ("cartridge pay alice ", ["alice", "bob", "chain"]),
        ("cartridge up --stack l", ["lightning-pair", "lonely"]),
        ("cartridge up --target ", ["process", "docker"]),
        ("cartridge explain p", ["port-taken"]),
        ("cartridge wait --for ru", ["running"]),
        ("cartridge up --ref", ["--refresh"]),
        ("cartridge completion ", ["bash", "zsh", "fish"]),
    ],
)
def test_names_and_flags_complete(words: str, offered: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    monkeypatch.setenv("_CARTRIDGE_COMPLETE", "bash_complete")

    said = say("cartridge")

    assert said.stdout == "".join(f"plain,{name}\n" for name in offered)
    assert (said.stderr, said.status) == ("", 0)


def test_completion_is_silent_where_the_state_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_WORDS", "cartridge logs ")
    monkeypatch.setenv("COMP_CWORD", "2")
    monkeypatch.setenv("_CARTRIDGE_COMPLETE", "bash_complete")

    said = say("cartridge", FakeVerbs(failing=OSError("broken")))

    assert (said.stdout, said.stderr, said.status) == ("", "", 70)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_asks_the_command(shell: str) -> None:
    said = say(f"cartridge completion {shell}")

    assert (said.status, said.stderr) == (0, "")
    assert f"_CARTRIDGE_COMPLETE={shell}_complete" in said.stdout
