"""What is said to Pulumi and heard from it, without a CLI."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from cartridge.deploy.pulumi.backend import Backend
from cartridge.deploy.pulumi.cli import Cli, arguments, environment, tail
from cartridge.deploy.pulumi.events import Complaint, Heard, hear
from cartridge.deploy.pulumi.server import is_own

URN = "urn:pulumi:s::cartridge::cartridge:docker:Container::alice"


def test_an_operation_asks_no_question_and_names_its_stack() -> None:
    said = arguments("pair-1", "up", ("--refresh",), 4321)

    assert said[:3] == ["up", "--yes", "--skip-preview"]
    assert said[said.index("--stack") + 1] == "pair-1"
    assert {"--client=127.0.0.1:4321", "tcp://127.0.0.1:4321", "--non-interactive", "--refresh"} <= set(said)
    assert "--yes" not in arguments("pair-1", "preview", (), 1)


def test_the_cli_gets_an_environment_of_its_own(tmp_path: Path) -> None:
    given = environment(Cli(Path("/bin/pulumi"), Backend("s", tmp_path / "s"), "/bin", tmp_path), 4321)

    assert given["PULUMI_DEBUG_PROVIDERS"] == "cartridge:4321"
    assert (given["PATH"], given["HOME"]) == ("/bin", str(tmp_path))
    assert set(given) <= {"PATH", "HOME", "LC_ALL", "GOGC", "GOMEMLIMIT"} | {
        name for name in given if name.startswith("PULUMI_")
    }


def test_the_engine_s_words_are_kept_by_resource() -> None:
    heard = Heard()
    for step in ("replace", "create-replacement", "delete-replaced"):
        hear(heard, {"resourcePreEvent": {"metadata": {"op": step, "urn": URN}}})
    hear(heard, {"diagnosticEvent": {"urn": URN, "severity": "error", "message": "<{%fg 1%}>no<{%reset%}>\n"}})
    hear(heard, {"diagnosticEvent": {"severity": "info", "message": "so what"}})
    hear(heard, {"summaryEvent": {}})

    assert heard.operations == {URN: "replace"}
    assert heard.complaints == [Complaint(URN, "error", "no")]


def test_the_last_lines_of_a_log_are_those_that_say_something(tmp_path: Path) -> None:
    (tmp_path / "up.log").write_text("one\n\n  \ntwo  \nthree\n")

    assert tail(tmp_path / "up.log", 2) == ("two", "three")
    assert tail(tmp_path / "none.log") == ()


def test_a_connection_of_our_own_is_trusted_and_another_s_is_not(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        own = is_own("127.0.0.1", port)
        table = Path("/proc/net/tcp").read_text()
        entry = next(line for line in table.splitlines() if f":{port:04X} 00000000" in line)
        fields = entry.split()
        fields[7] = str(os.getuid() + 1)
        (tmp_path / "tcp").write_text(table.splitlines()[0] + "\n" + " ".join(fields) + "\n")

        assert (own, is_own("127.0.0.1", port, tmp_path / "tcp"), is_own("127.0.0.1", 1)) == (True, False, False)
