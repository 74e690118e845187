"""A bitcoind and lnd nodes as bare processes, for tests of the choreography alone: no guardian, no plan, no state.

Everything lives in one temporary folder and ends with the `with` block. The configuration comes from the shipped
templates, so what is tested is what users run.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen, TimeoutExpired  # noqa: TID251 only their types
from types import SimpleNamespace

import jinja2

from cartridge import spawn
from cartridge.artifacts.installed import Installed
from cartridge.clock import SystemClock
from cartridge.journal.recorder import Entry, Recorder
from cartridge.lightning.chains.bitcoind import Bitcoind
from cartridge.lightning.choreography import Raised, raise_network
from cartridge.lightning.genesis import Genesis
from cartridge.lightning.nodes.lnd import Lnd, load_identity
from cartridge.lightning.run import Handles
from cartridge.model.network import Network
from cartridge.operations.access import secrets
from cartridge.probes import bitcoind, lnd
from cartridge.probes.wait import Patience

ROOT = Path(__file__).parents[3]
FAST: Mapping[str, object] = {
    "trickle_delay": 10,
    "gossip_delay": 5,
    "graph_cache": 0,
    "commit_interval": 5,
    "sign_interval": 5,
    "enable_delay": 1_000,
    "disable_delay": 3_000,
    "status_interval": 500,
    "announce_confirmations": 3,
    "confirmations": 1,
    "pending_channels": 64,
    "fee_source": "chain",
    "zero_conf": "written",
    "taproot": "written",
    "log_level": "info",
    "rpc_allowed": "127.0.0.0/8",
    "rpc_threads": 16,
    "transaction_index": False,
}
PORTS = {"bitcoind": ("rpc", "p2p", "zmqblock", "zmqtx"), "lnd": ("rest", "grpc", "p2p")}


@dataclass(frozen=True)
class Programs:
    """Paths of the three programs."""

    bitcoind: Path
    lnd: Path
    wallet: Path


def of_store(programs: Mapping[str, Installed]) -> Programs:
    """Return the programs of the shipped stack's artifacts."""
    return Programs(
        programs["bitcoind"].binaries["bitcoind"],
        programs["lnd"].binaries["lnd"],
        programs["regtest-wallet"].binaries["regtest-wallet"],
    )


@dataclass
class RawStack:
    """A chain and the nodes of a network, as processes of this test."""

    programs: Programs
    network: Network
    folder: Path
    stack: str = "raw"
    seconds: float = 60.0
    settings: Mapping[str, object] = field(default_factory=lambda: dict(FAST))
    processes: dict[str, Popen[bytes]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    listeners: list[Callable[[Entry], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock, self.cancelled = SystemClock(), threading.Event()
        self.recorder = Recorder(self.clock, listeners=(self.entries.append, self._tell))
        self.secrets = secrets.ensure(self.folder)
        self.ports = _reserve(self.network)

    def _tell(self, entry: Entry) -> None:
        for listener in self.listeners:
            listener(entry)

    @property
    def patience(self) -> Patience:
        return Patience.of(self.clock, self.seconds, self.cancelled)

    def address(self, component: str, port: str) -> str:
        return f"127.0.0.1:{self.ports[component, port]}"

    def api_address(self, component: str, port: str) -> str:
        """Return an address; a port `api` is the one at which an lnd would have its REST."""
        return self.address(component, "rest" if port == "api" else port)

    def data(self, component: str) -> Path:
        return self.folder / component

    def up(self) -> Raised:
        """Everything, in the order `cartridge up` does it."""
        genesis = self.genesis()
        self.start_bitcoind()
        genesis.pay(self.chain)
        self.seed(genesis)
        self.start_nodes()
        return self.raise_network()

    def genesis(self) -> Genesis:
        fresh = [name for name in self.network.nodes if not self.data(name).exists()]
        return Genesis({"lnd": self.programs.wallet}, self.stack, self.network, fresh=fresh, recorder=self.recorder)

    def seed(self, genesis: Genesis) -> None:
        for name in self.network.nodes:
            if not self.data(name).exists():
                for path, content in genesis.files(name).items():
                    place = self.data(name) / path
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(content)

    def start_bitcoind(self) -> None:
        self.data("bitcoind").mkdir(exist_ok=True)
        conf = self.render("bitcoin.conf", "bitcoind")
        self.start("bitcoind", [str(self.programs.bitcoind), f"-datadir={self.data('bitcoind')}", f"-conf={conf}"])
        self.rpc = bitcoind.BitcoindRpc(
            "127.0.0.1",
            self.ports["bitcoind", "rpc"],
            bitcoind.Credentials(secrets.RPC_USER, self.secrets["rpc_password"]),
        )
        with self.recorder.step("ready/bitcoind", "bitcoind"):
            bitcoind.ready(self.rpc, str(self.data("bitcoind")), self.patience)
        self.chain = Bitcoind(self.rpc)

    def start_nodes(self) -> None:
        for name in self.network.nodes:
            self.start_node(name)
        with self.recorder.step("ready/nodes", "nodes"):
            each = [threading.Thread(target=self.wait_node, args=(name,)) for name in self.network.nodes]
            for thread in each:
                thread.start()
            for thread in each:
                thread.join()

    def start_node(self, name: str) -> None:
        conf = self.render("lnd.conf", name)
        self.start(name, [str(self.programs.lnd), f"--lnddir={self.data(name)}", f"--configfile={conf}"])

    def rest(self, name: str) -> lnd.LndRest:
        identity = load_identity(lambda path: (self.data(name) / path).read_bytes())
        return lnd.LndRest(name, "127.0.0.1", self.ports[name, "rest"], identity)

    def wait_node(self, name: str) -> None:
        lnd.ready(self.rest(name), self.patience)

    def handles(self) -> Handles:
        nodes = {name: Lnd(self.rest(name)) for name in self.network.nodes}
        return Handles(self.chain, nodes, {name: self.address(name, "p2p") for name in nodes})

    def raise_network(self) -> Raised:
        return raise_network(self.network, self.handles(), self.recorder, self.patience)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """End every process; the chain goes last, as an lnd hangs at its end whose chain went first."""
        nodes = [name for name in self.processes if name != "bitcoind"]
        for group in (nodes, list(self.processes.keys() - nodes)):
            for name in group:
                self.processes[name].terminate()
            for name in group:
                with contextlib.suppress(TimeoutExpired):
                    self.processes[name].wait(10)
                self.kill(name)

    def start(self, name: str, argv: list[str], environment: Mapping[str, str] | None = None) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = spawn.start(argv, environment=environment, output=log)

    def early(self, component: str) -> Mapping[str, object]:
        """Return what resolving makes of the setting `zero_conf` for the ends of such channels."""
        ends = {end for one in self.network.channels if one.zero_conf for end in (one.from_, one.to)}
        return {"zero_conf": "always"} if component in ends else {}

    def render(self, name: str, component: str, **other: object) -> Path:
        """Write a component's configuration from a template; `other` is what its cartridge gives it otherwise."""
        text = (ROOT / "templates" / f"{name}.j2").read_text()
        given: dict[str, object] = {
            "component": SimpleNamespace(name=component, depends_on=("bitcoind",)),
            "node": self.network.nodes.get(component),
            "network": self.network,
            "settings": SimpleNamespace(**{**self.settings, **self.early(component)}),
            "secrets": SimpleNamespace(**self.secrets),
            "listen": self.address,
            "reach": self.address,
            "data": lambda one: str(self.data(one)),
        }
        template = jinja2.Template(text, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        rendered = template.render({**given, **other})
        path = self.folder / f"{component}.conf"
        path.write_text(rendered)
        path.chmod(0o600)
        return path


@contextlib.contextmanager
def raw_stack(programs: Programs, network: Network) -> Iterator[RawStack]:
    """Give a stack that is not started, and remove everything of it afterwards."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="raw-stack-", dir=memory if os.access(memory, os.W_OK) else None))
    stack = RawStack(programs, network, folder)
    try:
        yield stack
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _reserve(network: Network) -> dict[tuple[str, str], int]:
    wanted = [("bitcoind", port) for port in PORTS["bitcoind"]]
    wanted += [(name, port) for name in network.nodes for port in PORTS["lnd"]]
    with contextlib.ExitStack() as held:
        ports = {}
        for one in wanted:
            holder = held.enter_context(socket.socket())
            holder.bind(("127.0.0.1", 0))
            ports[one] = holder.getsockname()[1]
        return ports
