"""The Docker target beside `docker compose`: the same images, networks, volumes, files and published ports.

Compose gets what the pair's containers are made of, read from the containers that `cartridge up` made, with health
checks that ask what our probes ask. A network that is opened and paid over is more than either side is timed for:
*running* is every container running, *ready* is bitcoind answering and both lnd active.
"""

from __future__ import annotations

import datetime
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.measure import Claim, Report, Samples, interleave, wall
from benchmarks.place import Place

ROUNDS = 5
PROJECT = "cartridge-bench-peer"
HEALTH_INTERVAL = "1s"
"""As short as the quickest of the peers' own compose files has it; the usual is 5 to 30 s."""

WHERE = (
    "where the time goes: ours needs about 1.1 s of processor for an `up` (0.3 s interpreter and models, "
    "0.3 s the imports of docker, grpc and pulumi, 0.5 s Pulumi's CLI, of which 0.2 s is its key derivation), compose "
    "0.1 s, and on two cores that competes with the Engine, which takes 0.4 to 0.5 s to start three containers",
    "what helped `up`: making network, volumes and containers before Pulumi asks; starting containers before their turn "
    "with their programs held, and Pulumi only once those run, since all want the processor; records that are cheap to "
    "make (ADR 0038), which matters the more the slower the processor",
    "lnd looks once whether its wallet follows the chain, and where that is too early it sleeps a second: ours seldom does, "
    "as new wallets know their coins (ADR 0015; `ready` was 0.87 × before that, on the same processor); the peer's, which "
    "start with the data ours had when they ended, mostly do, and its answer is rounded up to its next health check",
    "tried for `down`: killing containers while the SDK is imported; removing by label while Pulumi starts; ending "
    "without taking the interpreter apart (0.1 s). What is left is Pulumi's CLI, 0.7 s from start to end, which `down` "
    "could only do without by not going through Pulumi",
)
"""What the figures do not say by themselves; measured with the journal's own steps."""


def run(place: Place) -> Report:
    """Measure `up`, `up` again and `down` on both sides."""
    compose = Compose(place)
    ours = Ours(place)
    ours.up()
    compose.copy_of(ours.stack())
    ours.down()
    try:
        interleave({"ours": ours.round, "compose": compose.round, "compose --wait": compose.waiting_round}, ROUNDS)
    finally:
        compose.end()
    names = ("running", "ready", "unchanged", "down")
    figures = {
        side: {name: Samples(side, tuple(each[name] for each in spans)) for name in names if name in spans[0]}
        for side, spans in (
            ("ours", ours.spans),
            ("docker compose", compose.spans),
            ("docker compose --wait", compose.waits),
        )
    }
    mine, peer, waiting = figures["ours"], figures["docker compose"], figures["docker compose --wait"]
    claims = [
        Claim("`up` to all containers running", mine["running"], 1.3, peer["running"]),
        Claim("`up` to ready", mine["ready"], 0.8, waiting["ready"]),
        Claim("`up` with nothing changed", mine["unchanged"], 2.5, peer["unchanged"]),
        Claim("`down`", mine["down"], 1.3, peer["down"]),
    ]
    return Report("Docker target", claims, [*compose.notes(), *ours.notes(), *WHERE])


class Ours:
    """Our side: one round is `up`, `up` again, `down`; moments come from the journal of `up`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.spans: list[dict[str, float]] = []

    def round(self) -> float:
        """Do one round and note its spans; return the whole."""
        began = time.time()
        whole = self.up()
        unchanged = wall([self._place.program, "up", "--target", "docker"], cwd=self._place.project)
        moments = self._moments(began)
        self.spans.append({**moments, "unchanged": unchanged, "down": self.down()})
        return whole

    def up(self) -> float:
        """Bring the pair up and return how long it took."""
        return wall([self._place.program, "up", "--fresh", "--target", "docker"], cwd=self._place.project)

    def down(self) -> float:
        """End the pair and return how long it took."""
        return wall([self._place.program, "down", "--yes"], cwd=self._place.project)

    def stack(self) -> str:
        """Return the id of the stack that is up."""
        stacks = json.loads(self._place.cartridge("ps", "-o", "json").stdout)["stacks"]
        return str(stacks[0]["stack"])

    def notes(self) -> list[str]:
        """Return where the time goes on our side, of the last round."""
        spans = ", ".join(
            f"{step} {begun:.2f}–{ended:.2f}" for step, begun, ended in self._steps() if ended - begun > 0.1
        )
        return [f"steps of the last `up` (seconds since it began): {spans}"]

    def _moments(self, began: float) -> dict[str, float]:
        """Return when every container ran and when all were ready, in seconds since the program was started."""
        steps = {step: ended for step, _, ended in self._steps()}
        first = json.loads(self._journal().read_text(encoding="utf-8").splitlines()[0])
        before = datetime.datetime.fromisoformat(first["at"]).timestamp() - first["offset"] - began
        running = max(ended for step, ended in steps.items() if step.startswith("start/"))
        ready = max(ended for step, ended in steps.items() if step.startswith("ready/"))
        return {"running": before + running, "ready": before + ready}

    def _journal(self) -> Path:
        """Return the journal of the last `up` that started something."""
        every = sorted((self._place.project / ".cartridge" / "journal").glob("*-up.jsonl"))
        return [path for path in every if '"start/' in path.read_text(encoding="utf-8")][-1]

    def _steps(self) -> list[tuple[str, float, float]]:
        begun, spans = {}, []
        for line in self._journal().read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            if entry["type"] == "step-started":
                begun[entry["step"]] = entry["offset"]
            elif entry["type"] == "step-ended":
                spans.append((entry["step"], begun[entry["step"]], entry["offset"]))
        return spans


class Compose:
    """The peer: a compose file that makes what our stack's containers are."""

    def __init__(self, place: Place) -> None:
        installed = peers.peer(peers.COMPOSE)
        self._program = str(installed.binaries[peers.COMPOSE])
        self._version = installed.version
        self._folder = place.folder / "compose"
        self._folder.mkdir()
        self.spans: list[dict[str, float]] = []
        self.waits: list[dict[str, float]] = []

    def copy_of(self, stack: str) -> None:
        """Write the compose files from the containers of a stack that is up, with copies of their files and data."""
        services = {}
        for identity in _docker("ps", "-q", "--filter", f"label=cartridge.stack={stack}").split():
            seen = json.loads(_docker("inspect", identity))[0]
            name = seen["Config"]["Labels"]["cartridge.component"]
            services[name] = _service(name, seen)
            _docker("stop", identity)
            for folder in ("config", "data"):
                _docker("cp", f"{identity}:/{folder}", str(self._folder / f"{folder}-{name}"))
                wall(["chown", "-R", seen["Config"]["User"], str(self._folder / f"{folder}-{name}")])
            (self._folder / f"data-{name}").rename(self._folder / f"seed-{name}")
        self._names = tuple(services)
        for file, condition in (("plain", "service_started"), ("waiting", "service_healthy")):
            text = json.dumps(_compose_file(services, condition, self._folder), indent=1)
            (self._folder / f"{file}.yaml").write_text(text, encoding="utf-8")

    def round(self) -> float:
        """`up -d`, again, `down -v`; note the spans and return the first."""
        self._fresh_data()
        running = self._compose("plain", "up", "-d")
        unchanged = self._compose("plain", "up", "-d")
        self.spans.append({"running": running, "unchanged": unchanged, "down": self._compose("plain", "down", "-v")})
        return running

    def waiting_round(self) -> float:
        """`up -d --wait`, `down -v`; note the span and return it."""
        self._fresh_data()
        ready = self._compose("waiting", "up", "-d", "--wait")
        self.waits.append({"ready": ready})
        self._compose("waiting", "down", "-v")
        return ready

    def end(self) -> None:
        """Leave nothing, whatever happened."""
        for file in ("plain", "waiting"):
            self._compose(file, "down", "-v", "-t", "1")

    def notes(self) -> list[str]:
        """Return the peer's version."""
        engine = _docker("version", "--format", "{{.Server.Version}}").strip()
        return [
            f"docker compose {self._version}, Docker Engine {engine}; "
            f"its containers are copies of ours, its health checks ask every {HEALTH_INTERVAL}"
        ]

    def _compose(self, file: str, *arguments: str) -> float:
        return wall([self._program, "-f", f"{file}.yaml", "-p", PROJECT, *arguments], cwd=self._folder)

    def _fresh_data(self) -> None:
        """Put the data back as our stack left it: a chain and wallets that are there already (not timed)."""
        for name in self._names:
            data = self._folder / f"data-{name}"
            shutil.rmtree(data, ignore_errors=True)
            subprocess.run(["cp", "-a", str(self._folder / f"seed-{name}"), str(data)], check=True)


def _service(name: str, seen: dict[str, Any]) -> dict[str, object]:
    """Return a container of ours as a compose service, with the question our probe asks as its health check."""
    config, host = seen["Config"], seen["HostConfig"]
    ask = (
        ["/usr/bin/bitcoin-cli", "-conf=/config/.bitcoin/bitcoin.conf", "getblockcount"]
        if name == "bitcoind"
        else ["/bin/lncli", "getinfo"]
    )
    return {
        "image": config["Image"],
        "entrypoint": config["Entrypoint"],
        "command": config["Cmd"],
        "environment": config["Env"],
        "user": config["User"],
        "working_dir": config["WorkingDir"],
        "hostname": name,
        "cap_drop": host["CapDrop"],
        "security_opt": host["SecurityOpt"],
        "volumes": [f"{name}:/data", f"./config-{name}:/config:ro"],
        "ports": [f"127.0.0.1::{port.partition('/')[0]}" for port in host["PortBindings"]],
        "stop_grace_period": "15s",
        "restart": "always",
        "healthcheck": {"test": ["CMD", *ask], "interval": HEALTH_INTERVAL, "timeout": "5s", "retries": 100},
    }


def _compose_file(services: dict[str, dict[str, object]], condition: str, folder: Path) -> dict[str, object]:
    """Return the whole file; without waiting nobody needs health checks, so there are none."""
    made = {}
    for name, service in services.items():
        made[name] = dict(service)
        if condition == "service_started":
            del made[name]["healthcheck"]
        if name != "bitcoind":
            made[name]["depends_on"] = {"bitcoind": {"condition": condition}}
    bound = {"driver": "local", "driver_opts": None}
    volumes = {
        name: {**bound, "driver_opts": {"type": "none", "o": "bind", "device": str(folder / f"data-{name}")}}
        for name in services
    }
    return {"services": made, "volumes": volumes}


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout
